import { useState } from 'preact/hooks';
import type { Component, Revision } from '../../../../src/server/contract/component.ts';
import { Button, Segmented } from '../../components/controls.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { shortSha } from '../../lib/format.ts';
import { type HoldKind, hold } from './hold.ts';
import { PlanPreview } from './plan-preview.tsx';

export interface HoldAsked {
  readonly kind: HoldKind;
  /** Null: of a suspension. */
  readonly revision: Revision | null;
}

const TITLES: Readonly<Record<HoldKind, string>> = {
  rollback: 'Roll back to',
  pin: 'Pin to',
  suspend: 'Suspend',
};
const EXPLAINED: Readonly<Record<HoldKind, string>> = {
  rollback:
    'Definitions, schedules and partition definitions go back to this revision, whole. What came after it is not applied again; a newer commit is, and ends the rollback. Data that was loaded, cursors and secrets stay as they are.',
  pin: 'This revision is served whatever is pushed, until it is resumed. Data that was loaded, cursors and secrets stay as they are.',
  suspend:
    'What is live stays live and nothing new is applied. Git is still looked at, so that you see how far the head is.',
};
const TIMES = [
  { value: '', text: 'Until resumed' },
  { value: '1h', text: '1 hour' },
  { value: '1d', text: '1 day' },
  { value: '7d', text: '7 days' },
];

/** Asks why and for how long, and shows what would change, before anything does. */
export function HoldDialog({
  component,
  asked: { kind, revision },
  onClose,
}: {
  component: Component;
  asked: HoldAsked;
  onClose: () => void;
}) {
  const [reason, setReason] = useState('');
  const [expiresIn, setExpiresIn] = useState('');
  const [busy, setBusy] = useState(false);
  const what = revision === null ? component.name : shortSha(revision.commit);
  const submit = async (): Promise<void> => {
    setBusy(true);
    const wish = { reason: reason.trim(), expiresIn };
    if (await hold(component.name, kind, revision?.revision_id ?? null, wish)) onClose();
    else setBusy(false);
  };
  return (
    <Dialog
      title={`${TITLES[kind]} ${what}`}
      onClose={onClose}
      wide
      footer={
        <>
          <span class="grow" />
          <Button onClick={onClose}>Cancel</Button>
          <Button
            kind={kind === 'rollback' ? 'danger' : 'primary'}
            icon={kind === 'rollback' ? 'retry' : 'pause'}
            busy={busy}
            onClick={() => void submit()}
          >
            {{ rollback: 'Roll back', pin: 'Pin', suspend: 'Suspend' }[kind]}
          </Button>
        </>
      }
    >
      {revision !== null && (
        <p>
          <strong>
            <bdi>{revision.message.split('\n')[0]}</bdi>
          </strong>{' '}
          <span class="faint">
            <bdi>{revision.author}</bdi>, revision {revision.revision_id}
          </span>
        </p>
      )}
      <p class="faint">{EXPLAINED[kind]}</p>
      {revision !== null && <PlanPreview component={component.name} revision={revision.revision_id} />}
      <form
        class="field"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <label class="stack">
          <span>
            Why <span class="faint">shown wherever it is held</span>
          </span>
          <input
            type="text"
            maxLength={500}
            autocomplete="off"
            // The reason is the one thing that only the person knows; Enter does the rest.
            autofocus
            value={reason}
            onInput={(event) => setReason(event.currentTarget.value)}
          />
        </label>
      </form>
      <fieldset class="field">
        <legend>For how long</legend>
        <Segmented label="For how long" value={expiresIn} choices={TIMES} onChoose={setExpiresIn} />
      </fieldset>
    </Dialog>
  );
}

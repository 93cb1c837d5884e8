import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Backfill } from '../../../../src/server/contract/backfill.ts';
import { segment } from '../../api/client.ts';
import { Button } from '../../components/controls.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { count, listText, plural } from '../../lib/format.ts';
import { backfillHref, navigate } from '../../router.ts';
import { act } from '../../state/launch.ts';
import { toast } from '../../state/toasts.ts';

type Action = 'pause' | 'resume' | 'cancel' | 'retry';

/** What can be done with a backfill now. What cannot be taken back is asked about, with its numbers. */
export function BackfillActions({ of, compact = false }: { of: Backfill; compact?: boolean }) {
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState<'cancel' | 'retry' | null>(null);
  const what = listText(of.asset_keys);
  const run = async (action: Action): Promise<void> => {
    setBusy(true);
    setAsking(null);
    const path = `/backfills/${segment(of.backfill_id)}/${action}`;
    const changed = await act<Partial<Backfill>>(path, {}, `${what}: ${FAILED[action]}`);
    setBusy(false);
    if (changed === null) return;
    if (action !== 'retry') toast('run', `${what}: ${DONE[action]}`);
    else if (changed.backfill_id !== undefined) navigate(backfillHref(changed.backfill_id));
  };
  const button = (action: Action, icon: 'pause' | 'play' | 'stop' | 'retry', text: string) => (
    <Button
      key={action}
      kind={compact ? 'quiet' : action === 'cancel' ? 'danger' : 'plain'}
      icon={icon}
      busy={busy}
      {...(compact ? { label: `${text}: ${what}`, title: text } : {})}
      onClick={() => (action === 'cancel' || action === 'retry' ? setAsking(action) : void run(action))}
    >
      {compact ? undefined : text}
    </Button>
  );
  const left = of.counts.total - of.counts.materialized;
  return (
    <>
      {of.status === 'REQUESTED' && button('pause', 'pause', 'Pause')}
      {of.status === 'PAUSED' && button('resume', 'play', 'Resume')}
      {(of.status === 'REQUESTED' || of.status === 'PAUSED') && button('cancel', 'stop', 'Cancel')}
      {of.ended_at !== null && left > 0 && button('retry', 'retry', 'Retry what failed')}
      {asking !== null && (
        <Confirm
          title={asking === 'cancel' ? `Cancel the backfill of ${what}?` : `Retry the backfill of ${what}?`}
          action={asking === 'cancel' ? 'Cancel the backfill' : `Run ${plural(left, 'partition')}`}
          danger={asking === 'cancel'}
          onClose={() => setAsking(null)}
          onConfirm={() => void run(asking)}
        >
          {asking === 'cancel' ? <Canceled of={of} /> : <Retried of={of} />}
        </Confirm>
      )}
    </>
  );
}

const DONE = {
  pause: 'paused; runs under way end',
  resume: 'goes on',
  cancel: 'canceling; runs under way are being ended',
} as const;
const FAILED = {
  pause: 'not paused',
  resume: 'not resumed',
  cancel: 'not canceled',
  retry: 'not retried',
} as const satisfies Record<Action, string>;

function Confirm({
  title,
  action,
  danger,
  onClose,
  onConfirm,
  children,
}: {
  title: string;
  action: string;
  danger: boolean;
  onClose: () => void;
  onConfirm: () => void;
  children: ComponentChildren;
}) {
  return (
    <Dialog
      title={title}
      onClose={onClose}
      footer={
        <>
          <span class="grow" />
          <Button onClick={onClose}>Back</Button>
          <Button kind={danger ? 'danger' : 'primary'} onClick={onConfirm}>
            {action}
          </Button>
        </>
      }
    >
      {children}
    </Dialog>
  );
}

function Canceled({ of: { counts } }: { of: Backfill }) {
  return (
    <ul class="prose-list">
      <li>{plural(counts.not_started, 'partition')} will not be run.</li>
      {counts.in_progress > 0 && (
        <li>Runs of {plural(counts.in_progress, 'partition')} are under way: their processes are ended.</li>
      )}
      <li>
        {plural(counts.materialized, 'partition')} that {counts.materialized === 1 ? 'is' : 'are'} written
        stay as they are. A canceled backfill cannot be resumed, but what it left can be run by a new one.
      </li>
    </ul>
  );
}

function Retried({ of: { counts } }: { of: Backfill }) {
  const parts = [
    [counts.failed, 'failed'],
    [counts.skipped, 'skipped'],
    [counts.canceled, 'canceled'],
    [counts.not_started, 'never started'],
  ] as const;
  const text = parts
    .filter(([number]) => number > 0)
    .map(([number, word]) => `${count(number)} ${word}`)
    .join(', ');
  return <p>A new backfill of what this one did not write: {text}. What it wrote is not written again.</p>;
}

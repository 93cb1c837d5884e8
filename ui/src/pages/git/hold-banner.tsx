import { useState } from 'preact/hooks';
import type { Component, Control } from '../../../../src/server/contract/component.ts';
import { Button } from '../../components/controls.tsx';
import { CommitChip } from '../../components/links.tsx';
import { Glyph } from '../../components/status.tsx';
import { Ago, Until } from '../../components/time.tsx';
import { plural } from '../../lib/format.ts';
import { holdEnd, holdTitle, resume } from './hold.ts';

/** What a person set over what Git says: who, when, why, how far the head is, and the way out. */
export function HoldBanner({ component, control }: { component: Component; control: Control }) {
  const [busy, setBusy] = useState(false);
  const end = async (): Promise<void> => {
    setBusy(true);
    await resume(component.name);
    setBusy(false);
  };
  return (
    <div class="hold" role="status">
      <Glyph tone="warn" />
      <div class="grow">
        <p>
          <strong>{holdTitle(component, control)}</strong> by <bdi>{control.by}</bdi> <Ago at={control.at} />;{' '}
          {holdEnd(control)}
          {control.expires_at !== null && (
            <>
              {' '}
              (<Until at={control.expires_at} />)
            </>
          )}
          .
        </p>
        {control.reason !== '' && (
          <p>
            <bdi>{control.reason}</bdi>
          </p>
        )}
        <Head component={component} />
      </div>
      <Button icon="play" busy={busy} onClick={() => void end()}>
        {busy ? 'Resuming…' : 'Resume'}
      </Button>
    </div>
  );
}

function Head({ component }: { component: Component }) {
  const head = component.remote_head;
  if (head === null) return <p class="faint">The remote was not looked at since the start.</p>;
  if (head.commit === component.head?.commit) return <p class="faint">The head is the same commit.</p>;
  return (
    <p class="faint">
      The head is <CommitChip commit={head.commit} url={head.url} />
      {head.ahead !== null && head.ahead > 0 && `, ${plural(head.ahead, 'commit')} ahead`}
    </p>
  );
}

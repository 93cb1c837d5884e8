import { useState } from 'preact/hooks';
import type { RunSummary } from '../../../../src/server/contract/run.ts';
import { post, segment } from '../../api/client.ts';
import { Button } from '../../components/controls.tsx';
import { plural } from '../../lib/format.ts';
import { isActive } from '../../lib/status.ts';
import { toast, toastError } from '../../state/toasts.ts';

/** What can be done with the chosen runs at once: each by itself, so that one refusal stops none of the others. */
export function BulkBar({ chosen, onClear }: { chosen: readonly RunSummary[]; onClear: () => void }) {
  const [busy, setBusy] = useState(false);
  if (chosen.length === 0) return null;
  const active = chosen.filter(({ status }) => isActive(status));
  const ended = chosen.filter(({ status }) => !isActive(status));
  const each = async (
    runs: readonly RunSummary[],
    done: string,
    ask: (run: RunSummary) => Promise<unknown>,
  ): Promise<void> => {
    setBusy(true);
    let number = 0;
    let refusal: unknown = null;
    for (const run of runs) {
      try {
        await ask(run);
        number += 1;
      } catch (error) {
        refusal ??= error;
      }
    }
    if (number > 0) toast('run', `${plural(number, 'run')} ${done}`);
    if (refusal !== null) toastError(`${plural(runs.length - number, 'run')} not ${done}`, refusal);
    setBusy(false);
    onClear();
  };
  return (
    <div class="selection-bar" role="region" aria-label="Selection">
      <strong>{chosen.length} selected</strong>
      {ended.length > 0 && (
        <Button
          kind="primary"
          icon="retry"
          busy={busy}
          title="At their own commits; of those that failed only what did not succeed"
          onClick={() => void each(ended, 'started again', again)}
        >
          Run {ended.length} again
        </Button>
      )}
      {active.length > 0 && (
        <Button
          kind="danger"
          icon="stop"
          busy={busy}
          onClick={() =>
            void each(active, 'being canceled', (run) => post(`/runs/${segment(run.run_id)}/cancel`))
          }
        >
          Cancel {active.length}
        </Button>
      )}
      <Button kind="quiet" onClick={onClear}>
        Clear
      </Button>
    </div>
  );
}

function again({ run_id: id, status, steps }: RunSummary): Promise<unknown> {
  return post(`/runs/${segment(id)}/retry`, { from_failure: status !== 'SUCCESS' && steps.succeeded > 0 });
}

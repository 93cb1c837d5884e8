import { useState } from 'preact/hooks';
import type { AssetSummary } from '../../../../src/server/contract/asset.ts';
import { post, segment } from '../../api/client.ts';
import { Button } from '../../components/controls.tsx';
import { plural } from '../../lib/format.ts';
import { requestBackfill } from '../../state/backfill-request.ts';
import { requestLaunch } from '../../state/launch-request.ts';
import { toast, toastError } from '../../state/toasts.ts';

/** What can be done with all that is selected at once. */
export function SelectionBar({ chosen, onClear }: { chosen: readonly AssetSummary[]; onClear: () => void }) {
  if (chosen.length === 0) return null;
  return (
    <div class="selection-bar" role="region" aria-label="Selection">
      <strong>{chosen.length} selected</strong>
      <Button kind="primary" icon="play" onClick={() => requestLaunch({ kind: 'assets', assets: chosen })}>
        Materialize…
      </Button>
      {chosen.some(({ partitions }) => partitions !== null) && (
        <Button icon="backfills" onClick={() => requestBackfill({ assets: chosen })}>
          Backfill…
        </Button>
      )}
      <Schedules chosen={chosen} />
      <Button kind="quiet" onClick={onClear}>
        Clear
      </Button>
    </div>
  );
}

/** Schedules run whole pipelines: those of the chosen assets, each once. */
function Schedules({ chosen }: { chosen: readonly AssetSummary[] }) {
  const [busy, setBusy] = useState(false);
  const named = (status: 'RUNNING' | 'STOPPED'): string[] => [
    ...new Set(chosen.flatMap(({ schedule }) => (schedule?.status === status ? [schedule.name] : []))),
  ];
  const change = async (action: 'start' | 'stop', names: readonly string[]): Promise<void> => {
    setBusy(true);
    let done = 0;
    try {
      for (const name of names) {
        await post(`/schedules/${segment(name)}/${action}`, { reason: 'with others, on the page' });
        done += 1;
      }
      toast('ok', `${plural(done, 'schedule')} ${action === 'start' ? 'started' : 'stopped'}`);
    } catch (error) {
      toastError(
        `${done} of ${plural(names.length, 'schedule')} ${action === 'start' ? 'started' : 'stopped'}`,
        error,
      );
    }
    setBusy(false);
  };
  const [running, stopped] = [named('RUNNING'), named('STOPPED')];
  return (
    <>
      {running.length > 0 && (
        <Button
          icon="pause"
          busy={busy}
          title={running.join('\n')}
          onClick={() => void change('stop', running)}
        >
          Stop {plural(running.length, 'schedule')}
        </Button>
      )}
      {stopped.length > 0 && (
        <Button
          icon="automation"
          busy={busy}
          title={stopped.join('\n')}
          onClick={() => void change('start', stopped)}
        >
          Start {plural(stopped.length, 'schedule')}
        </Button>
      )}
    </>
  );
}

import type { PartitionCounts } from '../../../src/server/contract/asset.ts';
import type { RunStatus } from '../../../src/server/contract/common.ts';
import { count, exact } from '../lib/format.ts';
import { runShown } from '../lib/status.ts';
import { runHref } from '../router.ts';

interface RecentRun {
  readonly run_id: string;
  readonly status: RunStatus;
  readonly at: string;
}

/** The last twenty runs, oldest left. Failed ones are taller as well as red. The newest is a link. */
export function RunStrip({ runs }: { runs: readonly RecentRun[] }) {
  const [newest] = runs;
  if (newest === undefined) return <span class="faint">No runs yet</span>;
  const failed = runs.filter(({ status }) => status === 'FAILURE').length;
  const label = `Last ${runs.length} runs: ${failed} failed, newest ${runShown(newest.status).text.toLowerCase()}`;
  return (
    <a
      class="strip"
      href={runHref(newest.run_id)}
      aria-label={label}
      title={`${label}\n${exact(Date.parse(newest.at))}`}
    >
      {Array.from({ length: Math.max(0, 20 - runs.length) }, (_, index) => (
        <i key={`none-${index}`} class="strip-none" />
      ))}
      {[...runs].reverse().map((run) => (
        <i key={run.run_id} class={`strip-run tone-${runShown(run.status).tone}`} />
      ))}
    </a>
  );
}

/** Partitions by state, each part as wide as its share. */
export function PartitionBar({ counts }: { counts: PartitionCounts }) {
  const parts = [
    ['ok', counts.materialized, 'materialized'],
    ['run', counts.in_progress, 'in progress'],
    ['bad', counts.failed, 'failed'],
    ['idle', counts.missing, 'missing'],
  ] as const;
  const label = parts
    .filter(([, number]) => number > 0)
    .map(([, number, word]) => `${count(number)} ${word}`)
    .join(', ');
  return (
    <span class="partition-bar" title={`${count(counts.total)} partitions: ${label}`}>
      <span class="bar" role="img" aria-label={`${counts.total} partitions: ${label}`}>
        {parts.map(([tone, number]) =>
          number > 0 ? <i key={tone} class={`tone-${tone}`} style={{ flexGrow: number }} /> : null,
        )}
      </span>
      <span class="num faint">
        {count(counts.materialized)}/{count(counts.total)}
      </span>
    </span>
  );
}

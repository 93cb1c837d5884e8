import type { Backfill, BackfillCounts } from '../../../../src/server/contract/backfill.ts';
import { Took, Until } from '../../components/time.tsx';
import { count, plural } from '../../lib/format.ts';
import { backfillPartitionShown } from '../../lib/status.ts';

const ORDER = ['materialized', 'in_progress', 'failed', 'skipped', 'canceled', 'not_started'] as const;

/** Partitions by what became of them, each part as wide as its share, and in words. */
export function ProgressBar({ counts }: { counts: BackfillCounts }) {
  const parts = ORDER.filter((state) => counts[state] > 0);
  const label = parts
    .map((state) => `${count(counts[state])} ${backfillPartitionShown(state).text.toLowerCase()}`)
    .join(', ');
  return (
    <span class="partition-bar backfill-bar" title={`${plural(counts.total, 'partition')}: ${label}`}>
      <span class="bar" role="img" aria-label={`${plural(counts.total, 'partition')}: ${label}`}>
        {parts.map((state) => (
          <i
            key={state}
            class={`tone-${backfillPartitionShown(state).tone}`}
            style={{ flexGrow: counts[state] }}
          />
        ))}
      </span>
      <span class="num faint">
        {count(counts.materialized)}/{count(counts.total)}
      </span>
    </span>
  );
}

/** When it ends, or how long it took. */
export function End({ of }: { of: Backfill }) {
  if (of.ended_at !== null) return <Took from={of.created_at} to={of.ended_at} />;
  if (of.status === 'PAUSED') return <span class="faint">when resumed</span>;
  if (of.expected_end === null) return <span class="faint">not known yet</span>;
  return (
    <span title="Its end, by the pace of its newest runs">
      <Until at={of.expected_end} />
    </span>
  );
}

/** `all · missing or failed · newest first`: what was asked for. */
export function askedText({ partitions, only, order, single_run: single }: Backfill): string {
  const which =
    partitions.kind === 'all'
      ? 'all'
      : partitions.kind === 'range'
        ? partitions.start === partitions.end
          ? partitions.start
          : `${partitions.start} … ${partitions.end}`
        : partitions.count === 1
          ? (partitions.keys[0] ?? '')
          : plural(partitions.count, 'key');
  return [
    which,
    ...(only === null ? [] : [only.replaceAll('_', ' ')]),
    ...(order === 'desc' ? ['newest first'] : []),
    ...(single === null ? [] : [single ? 'one run a range' : 'one run a partition']),
  ].join(' · ');
}

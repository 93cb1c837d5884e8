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

/** `12 an hour`: partitions done in the time that it took, or by the pace that its expected end stands on. */
export function paceText(of: Backfill, now: number): string | null {
  const { counts, created_at: from, ended_at: to, expected_end: end, status } = of;
  const done = counts.materialized + counts.failed + counts.skipped;
  const left = counts.not_started + counts.in_progress;
  const hours = (milliseconds: number): number => milliseconds / 3_600_000;
  if (to !== null) return done === 0 ? null : pace(done / hours(Date.parse(to) - Date.parse(from)));
  if (status !== 'REQUESTED' || end === null || Date.parse(end) <= now || left === 0) return null;
  return pace(left / hours(Date.parse(end) - now));
}

function pace(perHour: number): string | null {
  if (!Number.isFinite(perHour)) return null;
  const rounded = (value: number): string =>
    count(value < 10 ? Math.round(value * 10) / 10 : Math.round(value));
  if (perHour >= 7_200) return `${rounded(perHour / 3_600)} partitions a second`;
  return perHour >= 120
    ? `${rounded(perHour / 60)} partitions a minute`
    : `${rounded(perHour)} partitions an hour`;
}

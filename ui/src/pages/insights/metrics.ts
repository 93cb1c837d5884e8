import type { InsightsItem, InsightsMeasures } from '../../../../src/server/contract/insights.ts';
import { bytes, count, duration } from '../../lib/format.ts';

/** Something that Insights shows as bars, sorts by and compares with the days before. */
export interface Metric {
  readonly value: string;
  readonly text: string;
  /** Null: nothing to say of these days. */
  readonly of: (measures: InsightsMeasures) => number | null;
  readonly show: (value: number) => string;
  /** Whether more of it is good news; absent: it is neither. */
  readonly more?: 'good' | 'bad';
}

export const METRICS: readonly Metric[] = [
  { value: 'rows', text: 'Rows', of: ({ rows }) => rows, show: count },
  { value: 'bytes', text: 'Bytes', of: ({ bytes: size }) => size, show: bytes },
  { value: 'compute', text: 'Compute', of: ({ compute_seconds }) => compute_seconds, show: duration },
  {
    value: 'success',
    text: 'Success',
    of: ({ success_rate }) => success_rate,
    show: percent,
    more: 'good',
  },
  { value: 'failed', text: 'Failures', of: ({ failed }) => failed, show: count, more: 'bad' },
  {
    value: 'lateness',
    text: 'Lateness',
    of: ({ mean_delay_seconds }) => mean_delay_seconds,
    show: duration,
    more: 'bad',
  },
  { value: 'cost', text: 'Cost', of: ({ cost }) => cost, show: money, more: 'bad' },
];

/** Rounded down close to all: `100 %` is all. */
export function percent(share: number): string {
  const shown = share > 0.99 ? Math.floor(share * 10_000) / 100 : share * 100;
  return `${shown.toLocaleString('en-US', { maximumFractionDigits: share > 0.99 ? 2 : 1 })} %`;
}

/** Two digits after the point, more of what is less than a hundredth. */
export function money(amount: number): string {
  const digits = amount !== 0 && Math.abs(amount) < 0.01 ? 4 : 2;
  return amount.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: digits });
}

export interface Change {
  readonly text: string;
  /** How far it moved, in the metric's own unit. */
  readonly distance: number;
  readonly good: boolean | null;
}

/** What became of a metric since as many days before; null: there is nothing to compare. */
export function changeOf(metric: Metric, now: InsightsMeasures, before: InsightsMeasures): Change | null {
  const [current, earlier] = [metric.of(now), metric.of(before)];
  if (current === null || earlier === null || current === earlier) return null;
  const distance = current - earlier;
  const sign = distance > 0 ? '+' : '−';
  const text =
    metric.value === 'success'
      ? `${sign}${(Math.abs(distance) * 100).toFixed(1)} points`
      : earlier === 0
        ? 'new'
        : `${sign}${Math.round((Math.abs(distance) / earlier) * 100).toLocaleString('en-US')} %`;
  return {
    text,
    distance,
    good: metric.more === undefined ? null : distance > 0 === (metric.more === 'good'),
  };
}

/** The items that moved most, furthest first. */
export function movers(
  items: readonly InsightsItem[],
  metric: Metric,
  most: number,
): readonly InsightsItem[] {
  return items
    .flatMap((item) => {
      const change = changeOf(metric, item.now, item.before);
      return change === null ? [] : [{ item, far: Math.abs(change.distance) }];
    })
    .sort((a, b) => b.far - a.far)
    .slice(0, most)
    .map(({ item }) => item);
}

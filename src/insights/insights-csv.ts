import type { InsightsReport } from './insights-report.ts';

const COLUMNS = [
  'name',
  'assets',
  'materializations',
  'rows',
  'bytes',
  'compute_seconds',
  'succeeded',
  'failed',
  'canceled',
  'retries',
  'success_rate',
  'p50_seconds',
  'p95_seconds',
  'scheduled_runs',
  'mean_delay_seconds',
  'longest_delay_seconds',
  'cost',
  'currency',
] as const;

/** RFC 4180, a line for each item, with a header. A text that a spreadsheet would take for a formula gets an apostrophe. */
export function insightsCsv({ items, currency }: InsightsReport): string {
  const lines = items.map(({ name, assets, measures, successRate, p50, p95, cost }) =>
    [
      text(name),
      assets,
      measures.materializations,
      measures.rows,
      measures.bytes,
      round(measures.seconds),
      measures.succeeded,
      measures.failed,
      measures.canceled,
      measures.retries,
      successRate === null ? '' : round(successRate),
      p50 === null ? '' : round(p50),
      p95 === null ? '' : round(p95),
      measures.scheduled,
      measures.scheduled === 0 ? '' : round(measures.delay / measures.scheduled),
      measures.scheduled === 0 ? '' : round(measures.longestDelay),
      cost === null ? '' : Number(cost.toPrecision(8)),
      text(currency ?? ''),
    ].join(','),
  );
  return [COLUMNS.join(','), ...lines].map((line) => `${line}\r\n`).join('');
}

function text(value: string): string {
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function round(value: number): number {
  return Number(value.toFixed(4));
}

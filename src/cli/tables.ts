import type { RunSummary } from '../server/contract/run.ts';
import type { Schedule } from '../server/contract/schedule.ts';
import type { CliContext } from './context.ts';
import { duration, plural, relative } from './format.ts';
import { statusPaint, statusText, table } from './render.ts';

export function runTable(context: CliContext, items: readonly RunSummary[]): string {
  const now = Date.now();
  return table(
    [
      { title: 'RUN', value: (run) => run.run_id },
      { title: 'STATUS', value: (run) => statusText(run.status), paint: (run) => statusPaint(run.status) },
      { title: 'WHAT', value: (run) => run.job_name, shrink: true },
      { title: 'PARTITION', value: partitionText },
      { title: 'WHEN', value: (run) => relative(run.created_at, now) },
      { title: 'TOOK', value: (run) => duration(run.seconds), align: 'right' },
      { title: 'CAUSE', value: (run) => run.cause.text, shrink: true },
    ],
    items,
    context,
  );
}

export function partitionText({ partitions }: Pick<RunSummary, 'partitions'>): string {
  switch (partitions.kind) {
    case 'none':
      return '';
    case 'key':
      return partitions.key;
    case 'range':
      return `${partitions.start}...${partitions.end}`;
    case 'keys':
      return plural(partitions.keys.length, 'key');
  }
}

export function scheduleTable(context: CliContext, items: readonly Schedule[]): string {
  const now = Date.now();
  return table(
    [
      { title: 'SCHEDULE', value: (schedule) => schedule.name },
      {
        title: 'STATUS',
        value: (schedule) => statusText(schedule.status),
        paint: (schedule) => statusPaint(schedule.status),
      },
      { title: 'CRON', value: (schedule) => schedule.cron_schedule.join(', ') },
      { title: 'ZONE', value: (schedule) => schedule.timezone },
      { title: 'NEXT', value: (schedule) => relative(schedule.next_ticks[0] ?? null, now) },
      {
        title: 'LAST',
        value: ({ last_tick: last }) => (last === null ? '' : `${relative(last.at, now)} ${last.status}`),
      },
      { title: 'ASSETS', value: (schedule) => schedule.asset_keys.join(', '), shrink: true },
    ],
    items,
    context,
  );
}

import type {
  DltDropped,
  DltPipeline,
  DltPipelineState,
  DltResource,
  DltStateReport,
} from '../../server/contract/dlt-state.ts';
import type { CliContext } from '../context.ts';
import { count, duration, instant, plural, relative } from '../format.ts';
import { pairs, printable, table } from '../render.ts';

export function listText(context: CliContext, items: readonly DltPipeline[]): string {
  const now = Date.now();
  return table(
    [
      { title: 'PIPELINE', value: (one) => one.pipeline },
      { title: 'RESOURCES', value: (one) => one.resources.join(', '), shrink: true },
      { title: 'DESTINATION', value: ({ destination, dataset }) => place(destination, dataset) },
      { title: 'LAST LOAD', value: (one) => relative(one.last_load_at, now) || 'never' },
      { title: 'ROWS', value: (one) => count(rowsOf(one)), align: 'right' },
      { title: 'CURSOR', value: cursorText, shrink: true },
    ],
    items,
    context,
  );
}

/** Of the newest load of each asset. */
function rowsOf({ assets }: DltPipeline): number | null {
  const known = assets.flatMap(({ rows }) => (rows === null ? [] : [rows]));
  return known.length === 0 ? null : known.reduce((sum, rows) => sum + rows, 0);
}

function cursorText({ assets }: DltPipeline): string {
  return assets
    .flatMap(({ cursor, resource }) =>
      Object.entries(cursor ?? {}).map(
        ([path, value]) => `${resource === null ? '' : `${resource}.`}${path} ${valueText(value)}`,
      ),
    )
    .join(', ');
}

export function infoText(context: CliContext, report: DltStateReport): string {
  return [
    `read ${instant(report.read_at)} by run ${report.run_id}, dlt ${report.dlt_version}`,
    ...report.pipelines.map((pipeline) => infoOf(context, pipeline)),
  ].join('\n\n');
}

function infoOf(context: CliContext, pipeline: DltPipelineState): string {
  const { trace, pending, unfinished_drop: unfinished } = pipeline;
  const facts = pairs(
    [
      ['pipeline', pipeline.name],
      ['destination', place(pipeline.destination?.name ?? null, pipeline.dataset)],
      ['working dir', pipeline.working_dir],
      ['state', stateText(pipeline)],
      [
        'schemas',
        pipeline.schemas.map(({ name, version }) => `${name}, version ${version ?? '?'}`).join('\n'),
      ],
      ['resources', pipeline.resources.map(({ name }) => name).join(', ')],
      ['tables', pipeline.tables.map(({ name }) => name).join(', ')],
      [
        'last loads',
        pipeline.loads
          .map((load) => `${load.load_id}  ${load.at ?? ''}${load.ok ? '' : '  failed'}`)
          .join('\n'),
      ],
      [
        'pending',
        pending.length === 0
          ? 'nothing'
          : pending.map((one) => `${one.load_id}  ${one.stage}: ${one.tables.join(', ')}`).join('\n'),
      ],
      [
        'drop',
        unfinished === null
          ? ''
          : `of ${unfinished.resources?.join(', ') ?? 'everything'} was interrupted (run ${unfinished.run_id}); the next load finishes it first`,
      ],
      ['warning', pipeline.warnings.join('\n')],
    ],
    context.color,
  );
  if (trace === null) return printable(facts);
  const steps = table(
    [
      { title: 'LAST TRACE', value: (step) => step.step },
      { title: 'STARTED', value: (step) => instant(step.started_at) },
      { title: 'TOOK', value: (step) => duration(step.seconds), align: 'right' },
      { title: 'RESULT', value: (step) => (step.ok ? 'ok' : (step.error ?? 'failed')), shrink: true },
    ],
    trace.steps,
    context,
  );
  return `${printable(facts)}\n\n${steps}`;
}

function stateText(pipeline: DltPipelineState): string {
  const { has_local_state: here, stored_in_destination: stored, state_version: version } = pipeline;
  if (!here && !stored) return 'none: nothing was loaded yet';
  const where = pipeline.state_from === 'destination' ? 'the destination' : 'the working dir';
  const alone = here ? (stored ? '' : ', not in the destination') : ', not in the working dir';
  return `version ${version ?? '?'}, as in ${where}${alone}`;
}

export function showText(context: CliContext, report: DltStateReport): string {
  return report.pipelines
    .map((pipeline) => {
      const tables = table(
        [
          { title: 'TABLE', value: (one) => one.name },
          { title: 'RESOURCE', value: (one) => one.resource },
          { title: 'ROWS', value: (one) => count(one.rows), align: 'right' },
          { title: 'DISPOSITION', value: (one) => one.write_disposition ?? '' },
          { title: 'COLUMNS', value: (one) => one.columns.map(columnText).join(', '), shrink: true },
        ],
        pipeline.tables,
        context,
      );
      const state =
        pipeline.state === null ? 'too long to be shown' : JSON.stringify(pipeline.state, null, 2);
      const head = `pipeline: ${pipeline.name}  ${place(pipeline.destination?.name ?? null, pipeline.dataset)}`;
      const shown = pipeline.tables.length === 0 ? 'no tables' : tables;
      return `${head}\n\n${shown}\n\nstate: ${printable(state)}`;
    })
    .join('\n\n');
}

function columnText({
  name,
  type,
  primary_key: isKey,
}: DltPipelineState['tables'][number]['columns'][number]): string {
  return `${name} ${type ?? ''}${isKey ? ' (key)' : ''}`.trim();
}

/** As dlt's users expect it: a resource, where it goes on, how much of it is there. */
export function syncStateText(report: DltStateReport): string {
  const resources = report.pipelines.flatMap((pipeline) => pipeline.resources);
  if (resources.length === 0) return 'no resources';
  return printable(resources.map(resourceText).join('\n'));
}

function resourceText({ name, cursors, rows }: DltResource): string {
  const lines = cursors.flatMap((cursor) => [
    `  cursor: ${cursor.path}`,
    `  initial_value: ${valueText(cursor.initial_value)}`,
    `  last_value: ${cursor.last_value === null ? 'none, nothing was loaded' : valueText(cursor.last_value)}`,
  ]);
  return [
    `resource: ${name}`,
    ...(lines.length === 0 ? ['  last_value: none, it has no incremental cursor'] : lines),
    `  rows_synced: ${rows ?? 'none'}`,
  ].join('\n');
}

/** What a drop takes away, of every dlt pipeline of the folder. */
export function droppedText(dropped: readonly DltDropped[]): string {
  return printable(
    dropped
      .map((one) => {
        const nothing = one.tables.length === 0 && one.cursors.length === 0 && one.pending.length === 0;
        return [
          `pipeline: ${one.pipeline}  ${place(one.destination, one.dataset)}`,
          ...(nothing ? ['  nothing: it has no tables and no state'] : []),
          ...one.tables.map(
            (table) =>
              `  table ${table.name}: ${table.rows === null ? 'rows not known' : plural(table.rows, 'row')}`,
          ),
          ...one.cursors.map(
            (cursor) => `  cursor ${cursor.resource}.${cursor.path}: ${valueText(cursor.last_value)}`,
          ),
          ...one.pending.map((load) => `  pending load ${load.load_id}: ${load.tables.join(', ')}`),
        ].join('\n');
      })
      .join('\n'),
  );
}

function place(destination: string | null, dataset: string | null): string {
  return [destination, dataset].filter((part) => part !== null).join(' / ');
}

function valueText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

import { EXIT } from '../../lib/errors.ts';
import type { StreamChange } from '../../server/contract/instance.ts';
import type { LaunchResponse, RunDetail } from '../../server/contract/run.ts';
import { type Client, segment } from '../client.ts';
import type { CliContext } from '../context.ts';
import { count, duration, plural } from '../format.ts';
import { printJson } from '../output.ts';
import { painter, statusPaint, statusText, table } from '../render.ts';
import { partitionText } from '../tables.ts';

const ENDED: ReadonlySet<string> = new Set(['SUCCESS', 'FAILURE', 'CANCELED']);
const TOLD: ReadonlySet<string> = new Set([
  'step_started',
  'materialization',
  'step_succeeded',
  'step_failed',
  'step_retry_scheduled',
  'step_skipped',
]);

/** Says what was launched and, if asked (or if nobody else would run it), waits for the end. 1 when a run failed. */
export async function announceLaunch(
  context: CliContext,
  client: Client,
  launch: LaunchResponse,
  wait: boolean,
): Promise<number> {
  const { run_ids: ids, skipped_disabled: skipped } = launch;
  if (skipped.length > 0) context.note(`left out, since their pipelines are disabled: ${skipped.join(', ')}`);
  const isEmbedded = client.backend.kind === 'embedded';
  if (!wait && !isEmbedded) {
    if (context.json) printJson(context, launch);
    else {
      for (const id of ids) context.out(id);
      context.note(`launched ${plural(ids.length, 'run')}; follow with: elt logs ${ids[0] ?? ''} -f`);
    }
    return EXIT.ok;
  }
  if (isEmbedded && !wait) context.note('no service runs: this command stays until the end');
  const runs = await waitForRuns(context, client, ids);
  if (context.json) printJson(context, { ...launch, runs });
  else context.out(summaryTable(context, runs));
  return runs.every((run) => run.status === 'SUCCESS') ? EXIT.ok : EXIT.failed;
}

/**
 * Follows the event stream until all runs have ended; a run that ended before is seen at once. The first Ctrl+C cancels
 * the runs and waits for their end, the second leaves at once.
 */
export async function waitForRuns(
  context: CliContext,
  client: Client,
  ids: readonly string[],
): Promise<RunDetail[]> {
  const { last_event_id: after } = await client.get<{ last_event_id: number }>('/instance');
  const open = new Set(ids);
  const runs = new Map<string, RunDetail>();
  const look = async (id: string): Promise<void> => {
    const run = await client.get<RunDetail>(`/runs/${segment(id)}`);
    runs.set(id, run);
    if (ENDED.has(run.status)) open.delete(id);
  };
  await Promise.all(ids.map(look));
  const abort = new AbortController();
  const stopListening = onInterrupt(context, async () => {
    context.note(`cancelling ${plural(open.size, 'run')}; Ctrl+C again leaves at once`);
    await Promise.allSettled([...open].map((id) => client.post(`/runs/${segment(id)}/cancel`)));
  });
  try {
    if (open.size > 0) await follow();
  } finally {
    stopListening();
    abort.abort();
  }
  return ids.map((id) => runs.get(id)!);

  async function follow(): Promise<void> {
    for await (const { event, data } of client.events({ after }, abort.signal)) {
      if (event === 'reset') await Promise.all([...open].map(look));
      if (event === 'change') {
        const change = JSON.parse(data) as StreamChange;
        if (change.run_id === null || !open.has(change.run_id)) continue;
        if (TOLD.has(change.type)) context.note(progressLine(context, change));
        if (/^run_(succeeded|failed|canceled)$/.test(change.type)) await look(change.run_id);
      }
      if (open.size === 0) return;
    }
    // The service went away in between: what is stored says how the runs ended.
    await Promise.all([...open].map(look));
  }
}

function progressLine(context: CliContext, change: StreamChange): string {
  const paint = painter(context.noteColor);
  const time = change.at.slice(11, 19);
  const { payload } = change;
  const step = change.step_key ?? '';
  switch (change.type) {
    case 'materialization': {
      const rows = (payload['metadata'] as { rows?: unknown } | undefined)?.rows;
      const partition = typeof payload['partition'] === 'string' ? ` ${payload['partition']}` : '';
      const text = typeof rows === 'number' ? ` ${count(rows)} rows` : '';
      return `${time} ${paint('green', '✓')} ${change.asset_keys.join(', ')}${partition}${text}`;
    }
    case 'step_failed': {
      const error = payload['error'] as { message?: string } | undefined;
      return `${time} ${paint('red', '✗')} ${step}: ${error?.message ?? 'failed'}`;
    }
    case 'step_retry_scheduled':
      return `${time} ${paint('yellow', '↻')} ${step}: again in ${duration(Number(payload['delay_seconds']))}`;
    case 'step_skipped':
      return `${time} ${paint('dim', '⊘')} ${step}: ${String(payload['reason'])}`;
    case 'step_succeeded':
      return `${time} ${paint('green', '✓')} ${step} took ${duration(Number(payload['seconds']))}`;
    default:
      return `${time} ${paint('blue', '◔')} ${step} started`;
  }
}

function summaryTable(context: CliContext, runs: readonly RunDetail[]): string {
  return table(
    [
      { title: 'RUN', value: (run) => run.run_id },
      { title: 'STATUS', value: (run) => statusText(run.status), paint: (run) => statusPaint(run.status) },
      { title: 'WHAT', value: (run) => run.job_name, shrink: true },
      { title: 'PARTITION', value: partitionText },
      { title: 'ROWS', value: (run) => count(rowsOf(run)), align: 'right' },
      { title: 'TOOK', value: (run) => duration(run.seconds), align: 'right' },
      { title: 'ERROR', value: (run) => run.error?.message ?? '', shrink: true },
    ],
    runs,
    context,
  );
}

function rowsOf(run: RunDetail): number | null {
  const rows = run.materializations
    .map((one) => one.metadata['rows'])
    .filter((value) => typeof value === 'number');
  return rows.length === 0 ? null : rows.reduce((sum, value) => sum + value, 0);
}

/** Calls `first` on the first Ctrl+C; the second ends the process with 130. */
function onInterrupt(context: CliContext, first: () => Promise<void>): () => void {
  let asked = false;
  function listener(): void {
    if (asked) process.exit(EXIT.interrupted);
    asked = true;
    first().catch((error: unknown) => context.note(String(error)));
  }
  process.on('SIGINT', listener);
  return () => process.off('SIGINT', listener);
}

import { EXIT } from '../../lib/errors.ts';
import type { AssetSummary } from '../../server/contract/asset.ts';
import type { LogLine, RunDetail, RunLogs } from '../../server/contract/run.ts';
import { CliError } from '../cli-error.ts';
import { type Client, segment } from '../client.ts';
import { withClient } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { painter, printable } from '../render.ts';
import { runNamed } from './runs.ts';

export interface LogOptions {
  readonly follow?: boolean;
  readonly step?: string;
  readonly attempt?: number;
  readonly tail?: number;
}

const ENDED: ReadonlySet<string> = new Set(['SUCCESS', 'FAILURE', 'CANCELED']);
const BATCH = 10_000;

/** Lines of a run, or of the latest run of an asset. With `-f` until the run ends; its result is the exit code then. */
export function logs(context: CliContext, target: string, options: LogOptions): Promise<number> {
  return withClient(context, async (client) => {
    const run = await runOf(client, target);
    if (options.follow === true) return follow(context, client, run, options);
    const printed = await printStep(context, client, run.run_id, options, 1);
    if (printed.lines === 0) context.note(printed.complete ? 'no output' : 'no output yet');
    return EXIT.ok;
  });
}

async function runOf(client: Client, target: string): Promise<RunDetail> {
  try {
    return await runNamed(client, target);
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== 'RUN_NOT_FOUND') throw error;
    const asset = await client.get<AssetSummary>(`/assets/${segment(target)}`).catch(() => null);
    if (asset === null) throw error;
    if (asset.latest_run === null) throw new CliError('RUN_NOT_FOUND', `${target} has not been run`);
    return runNamed(client, asset.latest_run.run_id);
  }
}

interface Printed {
  readonly lines: number;
  readonly nextLine: number;
  readonly complete: boolean;
  readonly step: string;
  readonly attempt: number;
}

async function printStep(
  context: CliContext,
  client: Client,
  runId: string,
  options: LogOptions,
  fromLine: number,
): Promise<Printed> {
  let lines = 0;
  let next = fromLine;
  for (;;) {
    const tail = options.tail !== undefined && next === 1 ? options.tail : undefined;
    const chunk = await client.get<RunLogs>(`/runs/${segment(runId)}/logs`, {
      step: options.step,
      attempt: options.attempt,
      ...(tail === undefined ? { from_line: next, limit: BATCH } : { tail }),
    });
    for (const line of chunk.lines) context.out(lineText(context, chunk, line));
    lines += chunk.lines.length;
    next = chunk.next_line;
    if (chunk.lines.length < BATCH) {
      return {
        lines,
        nextLine: next,
        complete: chunk.complete,
        step: chunk.step_key,
        attempt: chunk.attempt,
      };
    }
  }
}

/** Every attempt of every step (or of the one asked for), in the order in which they write. */
async function follow(
  context: CliContext,
  client: Client,
  run: RunDetail,
  options: LogOptions,
): Promise<number> {
  const positions = new Map<string, number>();
  const abort = new AbortController();
  const path = `/runs/${segment(run.run_id)}`;

  async function printNew(step: string, attempt: number): Promise<void> {
    if (options.step !== undefined && step !== options.step) return;
    if (options.attempt !== undefined && attempt !== options.attempt) return;
    const id = `${step}\n${attempt}`;
    const printed = await printStep(context, client, run.run_id, { step, attempt }, positions.get(id) ?? 1);
    positions.set(id, printed.nextLine);
  }

  async function printAll(): Promise<RunDetail> {
    const now = await client.get<RunDetail>(path);
    const { attempts } = await client.get<RunLogs>(`${path}/logs`, { limit: 1 });
    for (const { step_key: step, attempt } of attempts) await printNew(step, attempt);
    return now;
  }

  try {
    // The stream is open before the first look, so that nothing between the two is missed.
    const { last_event_id: after } = await client.get<{ last_event_id: number }>('/instance');
    const events = client.events({ after, log: run.run_id }, abort.signal);
    let state = await printAll();
    while (!ENDED.has(state.status)) {
      const next = await events.next();
      if (next.done === true) throw new CliError('SERVICE_UNREACHABLE', 'the service went away');
      const { value } = next;
      if (value.event === 'log') {
        const { step_key: step, attempt } = JSON.parse(value.data) as { step_key: string; attempt: number };
        await printNew(step, attempt);
      } else if (isAboutEnd(value.event, value.data, run.run_id)) state = await printAll();
    }
    context.note(`run ${run.run_id} ended with ${state.status}`);
    return state.status === 'SUCCESS' ? EXIT.ok : EXIT.failed;
  } finally {
    abort.abort();
  }
}

function isAboutEnd(event: string, data: string, runId: string): boolean {
  if (event === 'reset') return true;
  if (event !== 'change') return false;
  const change = JSON.parse(data) as { run_id: string | null; type: string };
  return change.run_id === runId && /^run_(succeeded|failed|canceled)$/.test(change.type);
}

/** With `--json` one object a line, since a log has no end while it is followed. */
function lineText(context: CliContext, { step_key, attempt }: RunLogs, line: LogLine): string {
  if (context.json) return JSON.stringify({ step_key, attempt, ...line });
  const text = printable(line.text);
  if (line.stream === 'stderr') return painter(context.color)('yellow', text);
  return line.stream === 'system' ? painter(context.color)('dim', text) : text;
}

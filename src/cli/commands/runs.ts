import type { LaunchResponse, RunDetail, RunSummary } from '../../server/contract/run.ts';
import type { CancelResponse } from '../../server/contract/system.ts';
import { CliError } from '../cli-error.ts';
import { type Client, segment } from '../client.ts';
import { withClient } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { bytes, count, duration, instant } from '../format.ts';
import { printJson, showItems } from '../output.ts';
import { painter, pairs, printable, statusPaint, statusText, table } from '../render.ts';
import { partitionText, runTable } from '../tables.ts';
import { announceLaunch, waitForRuns } from './wait.ts';

const SEARCHED = 1000;

export function runs(
  context: CliContext,
  options: { status?: string; asset?: string; limit: number },
): Promise<number> {
  const { status, asset, limit } = options;
  return withClient(context, async (client) =>
    showItems(context, await client.all<RunSummary>('/runs', { status, asset }, limit), (items) =>
      runTable(context, items),
    ),
  );
}

export function showRun(context: CliContext, text: string): Promise<number> {
  return withClient(context, async (client) => {
    const run = await runNamed(client, text);
    if (context.json) printJson(context, run);
    else context.out(runText(context, run));
    return 0;
  });
}

export function cancel(context: CliContext, text: string): Promise<number> {
  return withClient(context, async (client) => {
    const { run_id: id } = await runNamed(client, text);
    const answer = await client.post<CancelResponse>(`/runs/${segment(id)}/cancel`);
    if (context.json) context.out(JSON.stringify(answer));
    else context.out(`asked run ${id} to end`);
    return client.backend.kind === 'embedded' ? endOfCancelled(context, client, id) : 0;
  });
}

/** Without a service nobody else would end its steps. */
async function endOfCancelled(context: CliContext, client: Client, id: string): Promise<number> {
  const [run] = await waitForRuns(context, client, [id]);
  context.note(`run ${id} ended with ${run?.status ?? '?'}`);
  return 0;
}

export function retry(
  context: CliContext,
  text: string,
  options: { fromFailure: boolean; latest: boolean; wait: boolean },
): Promise<number> {
  return withClient(context, async (client) => {
    const run = await runNamed(client, text);
    const launch = await client.post<LaunchResponse>(`/runs/${segment(run.run_id)}/retry`, {
      from_failure: options.fromFailure,
      latest: options.latest,
    });
    return announceLaunch(context, client, launch, options.wait);
  });
}

/** By its id, a unique part of it, or `latest`. @throws `RUN_NOT_FOUND` */
export async function runNamed(client: Client, text: string): Promise<RunDetail> {
  const isWhole = /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(text);
  if (isWhole) return client.get<RunDetail>(`/runs/${segment(text)}`);
  const known = await client.all<RunSummary>('/runs', {}, text === 'latest' ? 1 : SEARCHED);
  const found = text === 'latest' ? known : known.filter((run) => run.run_id.includes(text));
  const [only, another] = found;
  if (only === undefined)
    throw new CliError('RUN_NOT_FOUND', `there is no run "${text}"`, { hint: 'see: elt runs' });
  if (another !== undefined) {
    throw new CliError('RUN_NOT_FOUND', `${found.length} runs have "${text}" in their id`, {
      hint: found
        .slice(0, 3)
        .map((run) => run.run_id)
        .join(', '),
    });
  }
  return client.get<RunDetail>(`/runs/${segment(only.run_id)}`);
}

function runText(context: CliContext, run: RunDetail): string {
  const paint = painter(context.color);
  const head = pairs(
    [
      ['run', run.run_id],
      ['status', statusText(run.status)],
      ['what', run.job_name],
      ['partition', partitionText(run)],
      ['cause', run.cause.text],
      ['commit', run.commits.map((commit) => commit.commit.slice(0, 7)).join(', ')],
      ['started', instant(run.started_at ?? run.created_at)],
      ['took', duration(run.seconds)],
    ],
    context.color,
  );
  const steps = table(
    [
      { title: 'STEP', value: (step) => step.step_key },
      {
        title: 'STATUS',
        value: (step) => statusText(step.status),
        paint: (step) => statusPaint(step.status),
      },
      { title: 'ATTEMPT', value: (step) => (step.attempt > 1 ? String(step.attempt) : ''), align: 'right' },
      { title: 'TOOK', value: (step) => tookOf(step), align: 'right' },
      { title: 'WAITS FOR', value: (step) => step.waiting_for ?? '' },
      { title: 'ASSETS', value: (step) => step.asset_keys.join(', '), shrink: true },
    ],
    run.steps_list,
    context,
  );
  const made = table(
    [
      { title: 'MATERIALIZED', value: (one) => one.asset_key, shrink: true },
      { title: 'PARTITION', value: (one) => one.partition ?? '' },
      { title: 'ROWS', value: (one) => count(numberOf(one.metadata['rows'])), align: 'right' },
      { title: 'SIZE', value: (one) => bytes(numberOf(one.metadata['bytes'])), align: 'right' },
    ],
    run.materializations,
    context,
  );
  const failed = run.checks.filter((check) => !check.passed);
  const parts = [head, steps];
  if (run.materializations.length > 0) parts.push(made);
  if (failed.length > 0) {
    parts.push(
      failed.map((check) => paint('red', `✗ check ${check.asset_key}:${check.check_name}`)).join('\n'),
    );
  }
  if (run.error !== null) {
    const { code, message, file, line, url } = run.error;
    const place =
      file === null ? '' : `\n  at ${file}${line === null ? '' : `:${line}`}${url === null ? '' : ` ${url}`}`;
    parts.push(paint('red', `${code} ${printable(message)}`) + place + `\n  log: elt logs ${run.run_id}`);
  }
  return parts.join('\n\n');
}

function tookOf(step: RunDetail['steps_list'][number]): string {
  if (step.started_at === null) return '';
  const end = step.ended_at === null ? Date.now() : Date.parse(step.ended_at);
  return duration((end - Date.parse(step.started_at)) / 1000);
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

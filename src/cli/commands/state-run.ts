import { EXIT } from '../../lib/errors.ts';
import type { LaunchResponse, RunDetail, RunSummary } from '../../server/contract/run.ts';
import { CliError } from '../cli-error.ts';
import { type Client, segment } from '../client.ts';
import type { CliContext } from '../context.ts';
import { duration } from '../format.ts';
import { waitForRuns } from './wait.ts';

/** After this time a run that has not begun says what it waits for. */
const PATIENCE_MS = 1500;
/** Of runs under way, looked through for the one that is in the way. */
const MOST_RUNNING = 20;

/**
 * Waits for a run that looks at a state or drops it. It needs the slots of a load, so a load can be in its way: that is
 * said, and after `limitMs` a run that has not begun is taken back.
 * @returns the run; it has succeeded
 * @throws `STEP_TIMEOUT` (exit 124), or the run's own failure
 */
export async function waitForState(
  context: CliContext,
  client: Client,
  launch: LaunchResponse,
  limitMs: number,
): Promise<RunDetail> {
  const runId = launch.run_ids[0]!;
  let reason: string | null = null;
  const told = setTimeout(() => void tell().catch(() => undefined), PATIENCE_MS);
  const given = setTimeout(() => void giveUp().catch(() => undefined), limitMs);
  let isGivenUp = false;
  try {
    const [run] = await waitForRuns(context, client, [runId]);
    return succeeded(run!);
  } finally {
    clearTimeout(told);
    clearTimeout(given);
  }

  async function tell(): Promise<void> {
    reason = await whatItWaitsFor(client, runId);
    if (reason !== null) context.note(`waiting for ${reason}`);
  }

  async function giveUp(): Promise<void> {
    const run = await client.get<RunDetail>(`/runs/${segment(runId)}`);
    if (run.status !== 'QUEUED') return;
    reason = (await whatItWaitsFor(client, runId)) ?? reason;
    isGivenUp = true;
    await client.post(`/runs/${segment(runId)}/cancel`);
  }

  function succeeded(run: RunDetail): RunDetail {
    if (run.status === 'SUCCESS') return run;
    if (isGivenUp) {
      const text = `nothing was done within ${duration(limitMs / 1000)}: it waited for ${reason ?? 'a free slot'}`;
      throw new CliError('STEP_TIMEOUT', text, { hint: 'try again later, or wait longer with --timeout' });
    }
    if (run.status === 'CANCELED') {
      throw new CliError('STEP_FAILED', `run ${runId} was canceled`, { exit: EXIT.interrupted });
    }
    const message = run.error?.message ?? `run ${runId} failed`;
    throw new CliError('STEP_FAILED', message, { hint: `elt logs ${runId} shows its output` });
  }
}

/** In words, with the run that holds what is missing; null: it has begun. */
async function whatItWaitsFor(client: Client, runId: string): Promise<string | null> {
  const run = await client.get<RunDetail>(`/runs/${segment(runId)}`);
  const [step] = run.steps_list;
  if (run.status !== 'QUEUED' || step === undefined) return null;
  const wanted = new Set(step.pools);
  const { items } = await client.get<{ items: RunSummary[] }>(`/runs`, {
    status: 'STARTED',
    limit: MOST_RUNNING,
  });
  const details = await Promise.all(
    items.map((one) => client.get<RunDetail>(`/runs/${segment(one.run_id)}`)),
  );
  const holder = details.find((one) =>
    one.steps_list.some(
      (other) => other.status === 'running' && other.pools.some((pool) => wanted.has(pool)),
    ),
  );
  const what = step.waiting_for ?? 'a free slot';
  return holder === undefined ? what : `${what}: run ${holder.run_id} (${holder.job_name}) has it`;
}

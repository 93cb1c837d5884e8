import { type RunState, type RunStatus, TERMINAL_RUN } from '../../events/run-state.ts';
import { invariant } from '../../lib/invariant.ts';
import type { RunPlan } from '../../plan/run-plan.ts';
import type { Admission, AdmissionLimits, LeaseRow, RunCommand, RunStore, RunView } from '../store.ts';
import type { StoreContext, Tx } from './context.ts';
import { chunks, fromJson } from './json.ts';
import { findLaunch, insertLaunch } from './launches.ts';
import { toLease } from './leases.ts';
import { recordRunEvent, releaseLease } from './run-events.ts';
import { listRuns, runSummary } from './run-list.ts';
import { loadRun, saveRun } from './run-record.ts';
import { findTick, insertTicks } from './ticks.ts';

const CHUNK = 500;
const RUN_STATUSES: readonly RunStatus[] = [
  'QUEUED',
  'STARTED',
  'CANCELING',
  'SUCCESS',
  'FAILURE',
  'CANCELED',
];
export const UNFINISHED: readonly RunStatus[] = RUN_STATUSES.filter((status) => !TERMINAL_RUN.has(status));

export function createRunStore(context: StoreContext): RunStore {
  const { db } = context;
  return {
    async createLaunch(plans, { idempotencyKey, specs }) {
      return context.write(async (tx) => {
        const [first] = plans;
        invariant(first !== undefined, 'a launch needs a plan');
        const known = await findLaunch(tx, first.launchId, idempotencyKey);
        if (known !== null) return known;
        if (first.cause.kind === 'schedule') {
          const { schedule, tick: at } = first.cause;
          const known = await findTick(tx, schedule, at);
          if (known !== null) {
            return { launchId: known.launchId ?? '', runIds: known.runIds, created: false };
          }
          const launch = await insertLaunch(tx, plans, specs, idempotencyKey);
          const tick = { schedule, at, status: 'launched', reason: '', launchId: launch.launchId } as const;
          await insertTicks(tx, [tick]);
          return launch;
        }
        return insertLaunch(tx, plans, specs, idempotencyKey);
      });
    },

    async advance(runId, limits, decide, { durability = 'power' } = {}) {
      return context.write(async (tx) => {
        const view = await readView(tx, runId, limits);
        if (view === null) return null;
        const { runNo, ...shown } = view;
        const commands: RunCommand[] = [];
        let { state } = shown;
        for (const command of decide(shown)) {
          const next = await apply(tx, runNo, state, command);
          if (next === null) continue;
          state = next;
          commands.push(command);
        }
        await saveRun(tx, runNo, shown.state, state);
        return { commands, view: shown, state };
      }, durability);
    },

    async plan(runId) {
      return readPlan(context, runId);
    },

    async state(runId) {
      return (await loadRun(context, { runId }))?.state ?? null;
    },

    async list(filter) {
      return listRuns(context, filter);
    },

    async summary(runId) {
      return runSummary(context, runId);
    },

    async unfinished() {
      const rows = await db
        .selectFrom('run')
        .select('run_id')
        .where('status', 'in', UNFINISHED)
        .orderBy('priority', 'desc')
        .orderBy('run_no')
        .execute();
      return rows.map((row) => row.run_id);
    },

    async priorities(runIds) {
      const found = new Map<string, number>();
      for (const some of chunks(runIds, CHUNK)) {
        const rows = await db
          .selectFrom('run')
          .select(['run_id', 'priority'])
          .where('run_id', 'in', some)
          .execute();
        for (const row of rows) found.set(row.run_id, row.priority);
      }
      return found;
    },

    async counts() {
      const rows = await db
        .selectFrom('run')
        .select(['status', (eb) => eb.fn.countAll<number>().as('n')])
        .groupBy('status')
        .execute();
      const counts = Object.fromEntries(RUN_STATUSES.map((status) => [status, 0])) as Record<
        RunStatus,
        number
      >;
      for (const row of rows) counts[row.status as RunStatus] = row.n;
      return counts;
    },
  };
}

/** The state after a command; null when it changed nothing: an event that does not fit any more is not recorded. */
async function apply(tx: Tx, runNo: number, state: RunState, command: RunCommand): Promise<RunState | null> {
  switch (command.type) {
    case 'record': {
      const { event } = command;
      const stepKey = 'stepKey' in event ? event.stepKey : null;
      const attempt = 'attempt' in event ? event.attempt : null;
      const next = await recordRunEvent(tx, { runNo, stepKey, attempt }, event, state);
      return next === state ? null : next;
    }
    case 'cancel_lease':
      await tx.db
        .updateTable('lease')
        .set({ cancel: 1 })
        .where('run_no', '=', runNo)
        .where('step_key', '=', command.stepKey)
        .execute();
      return state;
    case 'release_lease':
      await releaseLease(tx, runNo, command.stepKey);
      return state;
  }
}

async function readView(
  tx: Tx,
  runId: string,
  limits: AdmissionLimits,
): Promise<(RunView & { readonly runNo: number }) | null> {
  const run = await loadRun(tx, { runId });
  if (run === null) return null;
  const plan = await readPlan(tx, runId);
  invariant(plan !== null, `run ${runId} has no plan`);
  const leases = await tx.db.selectFrom('lease').selectAll().where('run_no', '=', run.runNo).execute();
  return {
    runNo: run.runNo,
    plan,
    state: run.state,
    leases: Object.fromEntries(leases.map((row): [string, LeaseRow] => [row.step_key, toLease(row, runId)])),
    after: await statusesOf(tx, [...plan.after, ...(plan.waitsFor ?? [])]),
    admission: await admission(tx, limits),
    now: tx.now,
  };
}

async function readPlan({ db }: StoreContext | Tx, runId: string): Promise<RunPlan | null> {
  const row = await db
    .selectFrom('run_plan')
    .innerJoin('run', 'run.run_no', 'run_plan.run_no')
    .select('run_plan.plan')
    .where('run.run_id', '=', runId)
    .executeTakeFirst();
  return row === undefined ? null : fromJson<RunPlan>(row.plan);
}

async function statusesOf(tx: Tx, runIds: readonly string[]): Promise<Record<string, RunStatus>> {
  if (runIds.length === 0) return {};
  const rows = await tx.db
    .selectFrom('run')
    .select(['run_id', 'status'])
    .where('run_id', 'in', runIds)
    .execute();
  return Object.fromEntries(rows.map((row) => [row.run_id, row.status as RunStatus]));
}

/** Slots over all runs. Pools without a limit are not in it. */
async function admission(tx: Tx, limits: AdmissionLimits): Promise<Admission> {
  const { n: stepsInFlight } = await tx.db
    .selectFrom('lease')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow();
  const { n: runsInFlight } = await tx.db
    .selectFrom('run')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where('status', 'in', ['STARTED', 'CANCELING'])
    .executeTakeFirstOrThrow();
  const slots = await tx.db
    .selectFrom('pool_slot')
    .select(['pool', (eb) => eb.fn.countAll<number>().as('n')])
    .groupBy('pool')
    .execute();
  const held = new Map(slots.map((row) => [row.pool, row.n]));
  return {
    maxSteps: limits.maxSteps,
    stepsInFlight,
    pools: Object.fromEntries(
      Object.entries(limits.pools).map(([pool, limit]) => [pool, { limit, held: held.get(pool) ?? 0 }]),
    ),
    maxConcurrentRuns: limits.maxConcurrentRuns,
    runsInFlight,
  };
}

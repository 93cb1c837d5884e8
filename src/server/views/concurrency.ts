import type { Definitions } from '../../definitions/definitions.ts';
import { poolLimits } from '../../plan/pools.ts';
import type { RunPlan } from '../../plan/run-plan.ts';
import type { LeaseRow, Store } from '../../store/store.ts';
import type { Instance } from '../contract/instance.ts';

/** Slots in use, by the leases: what the engine itself counts. */
export async function concurrency(
  store: Store,
  definitions: Definitions,
  maxSteps: number,
): Promise<Instance['concurrency']> {
  const leases = await store.steps.leases();
  const runIds = [...new Set(leases.map((lease) => lease.ref.runId))];
  const plans = new Map<string, RunPlan | null>();
  for (const runId of runIds) plans.set(runId, await store.runs.plan(runId));
  const held = heldPools(leases, plans);
  const limits = poolLimits(definitions);
  const pools: Instance['concurrency']['pools'] = {};
  for (const [name, limit] of Object.entries(limits)) {
    const inUse = held.get(name) ?? 0;
    // Every pipeline has a pool of its own: of a thousand only those in use tell something.
    if (inUse > 0 || !name.startsWith('pipeline:')) pools[name] = { limit, held: inUse };
  }
  return { steps: maxSteps, in_flight: leases.length, pools };
}

/** Names of the pools that have no free slot. */
export function fullPools({ pools }: Instance['concurrency']): ReadonlySet<string> {
  return new Set(Object.keys(pools).filter((name) => pools[name]!.held >= pools[name]!.limit));
}

function heldPools(
  leases: readonly LeaseRow[],
  plans: ReadonlyMap<string, RunPlan | null>,
): Map<string, number> {
  const held = new Map<string, number>();
  for (const { ref } of leases) {
    const step = plans.get(ref.runId)?.steps.find(({ stepKey }) => stepKey === ref.stepKey);
    for (const pool of step?.pools ?? []) held.set(pool, (held.get(pool) ?? 0) + 1);
  }
  return held;
}

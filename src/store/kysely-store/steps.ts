import { reduceRun } from '../../events/reduce-run.ts';
import type { AttemptEvent } from '../../events/run-event.ts';
import type { StepEvent } from '../../events/step-event.ts';
import { OperationalError } from '../../lib/errors.ts';
import type { PlannedAsset } from '../../plan/run-plan.ts';
import type { StepRef } from '../../plan/step-spec.ts';
import type { StepStore } from '../store.ts';
import type { StoreContext, Tx } from './context.ts';
import { toLease } from './leases.ts';
import { recordRunEvent, recordStepReport, storedSpec } from './run-events.ts';
import { loadRun, saveRun } from './run-record.ts';
import type { LeaseTableRow } from './schema.ts';

/**
 * The fence: a row of `lease` says which attempt of a step is heard. Whoever changes that row first, in a transaction,
 * decides: a lease past its time still counts until `advance` declares the attempt lost or another holder takes it, so
 * that a machine that slept may go on, and a thawed worker whose step was given to another is refused.
 */
export function createStepStore(context: StoreContext): StepStore {
  return {
    async spec(ref) {
      const run = await loadRun(context, ref);
      const step = run?.state.steps[ref.stepKey];
      if (run == null || step === undefined) {
        throw new OperationalError('RUN_NOT_FOUND', `there is no step ${ref.stepKey} of run ${ref.runId}`);
      }
      const spec = await storedSpec(context, run.runNo, ref.stepKey);
      const isWritten = (asset: PlannedAsset): boolean => step.finishedAssets.includes(asset.key);
      const written = [...(spec.written ?? []), ...spec.assets.filter(isWritten)];
      return {
        ...spec,
        // Queue, time-out and length of the lease are the spec's, whatever the caller knows of them.
        ref: { ...spec.ref, attempt: ref.attempt },
        assets: spec.assets.filter((asset) => !isWritten(asset)),
        ...(written.length === 0 ? {} : { written }),
        retriesSpent: step.retriesSpent,
      };
    },

    async acquire(ref, holder) {
      return context.write(async (tx) => {
        const lease = await readLease(tx, ref);
        if (lease?.fence !== ref.attempt) return 'stale';
        if (lease.holder !== '' && lease.holder !== holder && lease.expires > tx.now) return 'held';
        await setLease(tx, lease, holder);
        return 'ok';
      }, 'process');
    },

    async renew(ref, holder) {
      return context.write(async (tx) => {
        const lease = await readLease(tx, ref);
        if (lease?.fence !== ref.attempt || lease.holder !== holder) return 'lost';
        await setLease(tx, lease, holder);
        return lease.cancel === 1 ? 'cancel' : 'ok';
      }, 'process');
    },

    async started(ref, { pid, envKey }) {
      return context.write(async (tx) => {
        const lease = await heldLease(tx, ref);
        if (lease === null) return 'fenced';
        const run = await loadRun(tx, ref);
        if (run === null) return 'fenced';
        const { stepKey, attempt } = ref;
        const event = { type: 'step_started', stepKey, attempt, pid, envKey } as const;
        const next = await recordRunEvent(tx, { runNo: run.runNo, stepKey, attempt }, event, run.state);
        await saveRun(tx, run.runNo, run.state, next);
        return 'ok';
      }, 'process');
    },

    async append(ref, events) {
      return context.write(async (tx) => {
        const lease = await heldLease(tx, ref);
        if (lease === null) return 'fenced';
        const place = { runNo: lease.run_no, stepKey: ref.stepKey, attempt: ref.attempt };
        for (const { n, event } of events) await recordStepReport(tx, place, n, toLogged(event));
        return 'ok';
      }, 'process');
    },

    async lastN(ref) {
      const row = await context.db
        .selectFrom('event')
        .innerJoin('run', 'run.run_no', 'event.run_no')
        .select((eb) => eb.fn.max('event.n').as('n'))
        .where('run.run_id', '=', ref.runId)
        .where('event.step_key', '=', ref.stepKey)
        .where('event.attempt', '=', ref.attempt)
        .where('event.n', 'is not', null)
        .executeTakeFirst();
      return row?.n ?? 0;
    },

    async finish(ref, result, implied) {
      return context.write(async (tx) => {
        const lease = await heldLease(tx, ref);
        if (lease === null) return 'fenced';
        const run = await loadRun(tx, ref);
        if (run === null) return 'fenced';
        const place = { runNo: run.runNo, stepKey: ref.stepKey, attempt: ref.attempt };
        if (reduceRun(run.state, { ...place, event: result, at: tx.now }) === run.state) return 'fenced';
        for (const { assetKey, partitions, metadata } of implied) {
          for (const partition of partitions.length === 0 ? [null] : partitions) {
            await recordStepReport(tx, place, null, {
              type: 'materialization',
              asset_key: assetKey,
              partition,
              metadata,
            });
          }
        }
        const next = await recordRunEvent(tx, place, result, run.state);
        await saveRun(tx, run.runNo, run.state, next);
        return 'ok';
      });
    },

    async leases() {
      const rows = await context.db
        .selectFrom('lease')
        .innerJoin('run', 'run.run_no', 'lease.run_no')
        .selectAll('lease')
        .select('run.run_id')
        .orderBy('lease.run_no')
        .orderBy('lease.step_key')
        .execute();
      return rows.map(({ run_id, ...row }) => toLease(row, run_id));
    },

    async takeOver(ref, fromHolder, toHolder) {
      return context.write(async (tx) => {
        const lease = await readLease(tx, ref);
        if (lease?.fence !== ref.attempt) return 'stale';
        if (lease.holder !== fromHolder) return 'held';
        await setLease(tx, lease, toHolder);
        return 'ok';
      }, 'process');
    },
  };
}

async function readLease(tx: Tx, ref: StepRef): Promise<LeaseTableRow | undefined> {
  return tx.db
    .selectFrom('lease')
    .innerJoin('run', 'run.run_no', 'lease.run_no')
    .selectAll('lease')
    .where('run.run_id', '=', ref.runId)
    .where('lease.step_key', '=', ref.stepKey)
    .executeTakeFirst();
}

/** The lease if this attempt holds it: dispatched and not acquired yet is nobody's. */
async function heldLease(tx: Tx, ref: StepRef): Promise<LeaseTableRow | null> {
  const lease = await readLease(tx, ref);
  return lease?.fence === ref.attempt && lease.holder !== '' ? lease : null;
}

async function setLease(tx: Tx, lease: LeaseTableRow, holder: string): Promise<void> {
  await tx.db
    .updateTable('lease')
    .set({ holder, expires: tx.now + lease.lease_ttl_ms })
    .where('run_no', '=', lease.run_no)
    .where('step_key', '=', lease.step_key)
    .execute();
}

/** The child's own word that it ended is kept as a report: the result is what `finish` records. */
function toLogged(event: StepEvent | { type: 'other'; payload: Record<string, unknown> }): AttemptEvent {
  return event.type === 'end' ? { type: 'other', payload: event } : event;
}

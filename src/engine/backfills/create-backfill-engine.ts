import { type ErrorCode, OperationalError } from '../../lib/errors.ts';
import { countItems } from '../../plan/backfill-items.ts';
import type { BackfillRequest } from '../../plan/backfill-request.ts';
import { planBackfill } from '../../plan/plan-backfill.ts';
import type { BackfillRow, BackfillStatus } from '../../store/backfill-store.ts';
import type { BackfillEngine } from '../backfill-engine.ts';
import { assetPartitions } from './asset-partitions.ts';
import type { BackfillEngineDeps } from './deps.ts';
import { expectedDuration } from './expected-duration.ts';
import { leftOver } from './left-over.ts';
import { createLook } from './look-at-backfill.ts';
import { previewOf } from './preview-backfill.ts';
import { shapeOf } from './shape-of.ts';

/** Backfills over the store and the run engine; whoever has the daemons calls `advance`. */
export function createBackfillEngine(deps: BackfillEngineDeps): BackfillEngine {
  const { store, runs, clock, logger, crashPoint } = deps;
  const { backfills } = store;
  const listeners = new Set<() => void>();
  const watched = new Set<string>();
  const lookAt = createLook(deps, watch);
  let looking: Promise<unknown> = Promise.resolve();

  function tell(): void {
    for (const listener of listeners) listener();
  }

  /** The end of a run is news, once. */
  function watch(runId: string): void {
    if (watched.has(runId)) return;
    watched.add(runId);
    runs
      .finished(runId)
      .catch((error: unknown) => logger.warn({ err: error, run_id: runId }, 'a run could not be waited for'))
      .finally(() => {
        watched.delete(runId);
        tell();
      });
  }

  async function planned(request: BackfillRequest, withStatus: boolean) {
    const definitions = deps.definitions();
    const known =
      withStatus || request.only !== undefined
        ? await assetPartitions(store.assets, definitions, request.assets)
        : new Map<string, never>();
    const plan = planBackfill(definitions, request, (key) => known.get(key)!, clock.now());
    if (!plan.ok) throw refused(plan.code, plan.message, plan.hint);
    return { definitions, known, ...plan };
  }

  async function record(
    request: BackfillRequest,
    groups: BackfillRow['groups'],
    parentId: string | null,
  ): Promise<BackfillRow> {
    const row = await backfills.create({
      backfillId: deps.newId(),
      request,
      parentId,
      groups,
      runs: countItems(groups),
    });
    crashPoint('backfill_created');
    tell();
    return row;
  }

  async function known(backfillId: string): Promise<BackfillRow> {
    const row = await backfills.get(backfillId);
    if (row === null) throw new OperationalError('BACKFILL_NOT_FOUND', `there is no backfill ${backfillId}`);
    return row;
  }

  /** As it is when it was `to` already. */
  async function change(
    backfillId: string,
    by: string,
    from: readonly BackfillStatus[],
    to: BackfillStatus,
    agreed?: (row: BackfillRow) => string | undefined,
  ): Promise<BackfillRow> {
    const before = await known(backfillId);
    if (before.status === to) return before;
    const agreement = agreed?.(before);
    const row = await backfills.setStatus(backfillId, {
      from,
      to,
      by,
      reason: '',
      ...(agreement === undefined ? {} : { agreed: agreement }),
    });
    if (row === null) throw notNow(await known(backfillId));
    crashPoint('backfill_changed');
    tell();
    return row;
  }

  return {
    async preview(request) {
      const { definitions, known: status, groups, notes } = await planned(request, true);
      const limits = deps.limits();
      return {
        ...previewOf(definitions, request, groups, status),
        expected: await expectedDuration(backfills, definitions, groups, request, limits),
        notes,
      };
    },

    async create(request) {
      const key = request.idempotencyKey;
      const earlier = key === undefined ? null : await backfills.byIdempotencyKey(key);
      if (earlier !== null) return earlier;
      const { groups, notes } = await planned(request, false);
      if (groups.length === 0) throw refused('BACKFILL_EMPTY', notes.join('; '));
      return record(request, groups, null);
    },

    async pause(backfillId, by) {
      return change(backfillId, by, ['REQUESTED'], 'PAUSED');
    },

    async resume(backfillId, by) {
      // One that was paused because something is gone says so: whoever resumes it has read it.
      return change(backfillId, by, ['PAUSED'], 'REQUESTED', ({ reason, groups }) =>
        reason === '' ? undefined : shapeOf(deps.definitions(), groups),
      );
    },

    async cancel(backfillId, by) {
      return change(backfillId, by, ['REQUESTED', 'PAUSED'], 'CANCELING');
    },

    async retryFailed(backfillId, by) {
      const row = await known(backfillId);
      if (row.endedAt === null) {
        throw new OperationalError('BACKFILL_NOT_ENDED', `backfill ${backfillId} has not ended`, {
          hint: 'wait for its end, or cancel it first',
        });
      }
      const groups = await leftOver(backfills, row);
      if (groups.length === 0) {
        throw refused('BACKFILL_EMPTY', `nothing is left of backfill ${backfillId}: all of it was written`);
      }
      const { only: _, ...request } = row.request;
      // Asked for twice it is one: the second retry is that of the first.
      return record({ ...request, cause: by, idempotencyKey: `retry:${backfillId}` }, groups, backfillId);
    },

    advance() {
      const look = looking.then(lookAtAll, lookAtAll);
      looking = look;
      return look;
    },

    onNews(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };

  async function lookAtAll(): Promise<{ submitted: number; ended: number }> {
    const counts = { submitted: 0, ended: 0 };
    const failures: unknown[] = [];
    for (const row of await backfills.unfinished()) {
      // One that cannot be carried on must not hold the others up (fault P10).
      try {
        const { submitted, ended } = await lookAt(row);
        counts.submitted += submitted;
        if (ended) counts.ended += 1;
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
    return counts;
  }
}

function notNow({ backfillId, status }: BackfillRow): OperationalError {
  const why = status === 'CANCELING' ? 'is being canceled' : `has ended with ${status}`;
  return new OperationalError('BACKFILL_ENDED', `backfill ${backfillId} ${why}`);
}

function refused(code: ErrorCode, message: string, hint?: string): OperationalError {
  return new OperationalError(code, message, hint === undefined ? {} : { hint });
}

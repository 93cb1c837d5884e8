import { OperationalError } from '../../lib/errors.ts';
import { itemsOfBackfill } from '../../plan/backfill-items.ts';
import type { BackfillItem } from '../../plan/backfill-plan.ts';
import { planBackfillItem } from '../../plan/plan-backfill-item.ts';
import type { BackfillRow, BackfillRunRow } from '../../store/backfill-store.ts';
import { type BackfillEngineDeps, runsAtOnce } from './deps.ts';
import { type Doomed, doomedPartitions } from './doomed-partitions.ts';
import { shapeOf } from './shape-of.ts';

export interface Look {
  readonly submitted: number;
  readonly ended: boolean;
}

const IN_FLIGHT = ['QUEUED', 'STARTED', 'CANCELING'];
/** More than any backfill has in flight. */
const MOST_IN_FLIGHT = 10_000;
const SKIPPED_AT_ONCE = 1000;

/** Where a backfill stands, so that its next look need not go through its items from the first. */
interface Place {
  readonly items: Iterator<BackfillItem>;
  /** Null: there are no more. */
  head: BackfillItem | null;
  /** Of the group of `head`, as of so many broken partitions. */
  doomed: { readonly group: number; readonly broken: number; readonly doomed: Doomed } | null;
}

/**
 * One backfill, looked at once: submits what may run now, passes over what cannot, cancels, ends. Idempotent; what it has
 * in memory only saves work.
 */
export function createLook(deps: BackfillEngineDeps, watch: (runId: string) => void) {
  const { store, runs, clock, crashPoint } = deps;
  const { backfills } = store;
  const places = new Map<string, Place>();

  return async function lookAt(row: BackfillRow): Promise<Look> {
    const { backfillId } = row;
    const inFlight = await backfills.runs(backfillId, { statuses: IN_FLIGHT, limit: MOST_IN_FLIGHT });
    for (const { runId } of inFlight) if (runId !== null) watch(runId);
    if (row.status === 'CANCELING') await cancelRuns(row, inFlight);
    const submitted = row.status === 'REQUESTED' ? await submit(row, inFlight) : 0;
    const ended = submitted === 0 && (await end(backfillId));
    if (ended) places.delete(backfillId);
    return { submitted, ended };
  };

  async function submit(row: BackfillRow, before: readonly BackfillRunRow[]): Promise<number> {
    const definitions = deps.definitions();
    // Nothing is known yet: that is not the same as everything being gone.
    if (definitions.sources.length === 0) return 0;
    const place = placeOf(row);
    const limit = runsAtOnce(deps.limits(), row.request.maxConcurrent);
    const inFlight = before.map(({ group }) => group);
    let submitted = 0;
    while (place.head !== null && inFlight.length < limit) {
      const item = place.head;
      const group = row.groups[item.group]!;
      if (inFlight.some((other) => group.needs.includes(other))) place.doomed = null;
      if (inFlight.some((other) => group.needs.includes(other) || (group.serial && other === item.group)))
        break;
      const doomed = await doomedOf(row, place, item.group);
      if (doomed.reasonFor(item) !== null) {
        if (!(await passOver(row, place, doomed))) break;
        continue;
      }
      const { plan, gone } = planBackfillItem(definitions, row, item, {
        now: clock.now(),
        newId: deps.newId,
      });
      if (gone.length > 0 && row.agreed !== shapeOf(definitions, row.groups)) {
        await pause(row, gone);
        break;
      }
      crashPoint('item_planned');
      if (plan === null) {
        await backfills.skipItems(row.backfillId, [item], gone.join('; '));
        doomed.add(item);
        crashPoint('items_skipped');
      } else {
        const launch = await backfills.launchItem(row.backfillId, item, [plan], (one) => {
          crashPoint('item_in_transaction');
          return deps.stepSpecs(definitions, one);
        });
        if (launch === null) {
          places.delete(row.backfillId);
          break;
        }
        crashPoint('item_launched');
        for (const runId of launch.runIds) {
          runs.wake(runId);
          watch(runId);
        }
        crashPoint('item_started');
        inFlight.push(item.group);
        submitted += 1;
      }
      move(place);
    }
    return submitted;
  }

  function placeOf(row: BackfillRow): Place {
    const known = places.get(row.backfillId);
    const at = known?.head === null ? row.runs : known?.head?.item;
    if (known !== undefined && at === row.submitted) return known;
    const items = itemsOfBackfill(row.groups, row.request.order ?? 'asc', row.submitted);
    const place: Place = { items, head: null, doomed: null };
    move(place);
    places.set(row.backfillId, place);
    return place;
  }

  function move(place: Place): void {
    const next = place.items.next();
    place.head = next.done === true ? null : next.value;
  }

  /**
   * Groups that are needed have ended when one is asked about, so what it finds holds on; in a serial group each failure
   * can doom what comes after it.
   */
  async function doomedOf(row: BackfillRow, place: Place, group: number): Promise<Doomed> {
    const { failed, canceled, skipped } = row.counts;
    const broken = row.groups[group]!.serial ? failed + canceled + skipped : 0;
    const known = place.doomed;
    if (known?.group === group && known.broken === broken) return known.doomed;
    const doomed = await doomedPartitions(backfills, deps.definitions(), row, group, clock.now());
    place.doomed = { group, broken, doomed };
    return doomed;
  }

  /** Passes over the items that come next and cannot run; false: the backfill takes none any more. */
  async function passOver(row: BackfillRow, place: Place, doomed: Doomed): Promise<boolean> {
    const skipped: BackfillItem[] = [];
    const group = place.head!.group;
    const reason = doomed.reasonFor(place.head!)!;
    while (
      place.head?.group === group &&
      skipped.length < SKIPPED_AT_ONCE &&
      doomed.reasonFor(place.head) === reason
    ) {
      skipped.push(place.head);
      doomed.add(place.head);
      move(place);
    }
    await backfills.skipItems(row.backfillId, skipped, reason);
    crashPoint('items_skipped');
    const now = await backfills.get(row.backfillId);
    if (now?.submitted === skipped.at(-1)!.item + 1) return true;
    places.delete(row.backfillId);
    return false;
  }

  /** Fault C5: what was asked for is not there any more; people decide. */
  async function pause(row: BackfillRow, gone: readonly string[]): Promise<void> {
    const { backfillId } = row;
    await backfills.setStatus(backfillId, {
      from: ['REQUESTED'],
      to: 'PAUSED',
      by: null,
      reason: `${gone.join('; ')}. "elt backfill resume ${backfillId}" goes on with what still exists, "elt backfill cancel ${backfillId}" ends it`,
    });
    crashPoint('backfill_changed');
    deps.logger.warn(
      { backfill_id: backfillId, gone },
      'a backfill is paused: some of what it covers is gone',
    );
  }

  async function cancelRuns(row: BackfillRow, inFlight: readonly BackfillRunRow[]): Promise<void> {
    for (const { runId, status } of inFlight) {
      if (runId === null || status === 'CANCELING') continue;
      try {
        await runs.cancel(runId, row.changedBy ?? 'the backfill');
      } catch (error) {
        // It ended in between.
        if (!(error instanceof OperationalError) || error.code !== 'RUN_NOT_CANCELABLE') throw error;
      }
      crashPoint('run_canceled');
    }
  }

  /** Ends a backfill of which nothing is left to run or to wait for. */
  async function end(backfillId: string): Promise<boolean> {
    const row = await backfills.get(backfillId);
    if (row === null || row.counts.in_progress > 0 || row.endedAt !== null) return false;
    if ((await backfills.unfinishedRuns(backfillId)).length > 0) return false;
    const { failed, canceled, skipped, total } = row.counts;
    const from = [row.status];
    if (row.status === 'CANCELING') {
      const change = { from, to: 'CANCELED', by: null, reason: row.reason } as const;
      const ended = (await backfills.setStatus(backfillId, change)) !== null;
      crashPoint('backfill_ended');
      return ended;
    }
    if (row.submitted < row.runs) return false;
    const isWhole = failed + canceled + skipped === 0;
    const ended = await backfills.setStatus(backfillId, {
      from,
      to: isWhole ? 'COMPLETED_SUCCESS' : 'COMPLETED_FAILED',
      by: null,
      reason: isWhole ? '' : shortfall({ failed, canceled, skipped, total }),
    });
    crashPoint('backfill_ended');
    return ended !== null;
  }
}

function shortfall(counts: { failed: number; canceled: number; skipped: number; total: number }): string {
  const { failed, canceled, skipped, total } = counts;
  const parts = [
    failed > 0 ? `${failed} failed` : '',
    canceled > 0 ? `${canceled} ${canceled === 1 ? 'was' : 'were'} canceled` : '',
    skipped > 0 ? `${skipped} ${skipped === 1 ? 'was' : 'were'} not run` : '',
  ];
  return `of ${total} partitions ${parts.filter((part) => part !== '').join(', ')}`;
}

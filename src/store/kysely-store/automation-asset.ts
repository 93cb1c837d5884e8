import type { AssetView, CheckView } from '../../automation/asset-view.ts';
import { type RunStatus, TERMINAL_RUN } from '../../events/run-state.ts';
import type { PartitionsDefinition } from '../../partitions/definition/partitions-definition.ts';
import { unpartitioned } from '../../partitions/mapping/map-partitions.ts';
import {
  countOf,
  emptySubset,
  has,
  isEmpty,
  minus,
  ordinalsOf,
  type PartitionSubset,
  subsetOfOrdinals,
  unionOf,
  unionOfAll,
} from '../../partitions/subset/partition-subset.ts';
import { NO_NEWS, type RecentNews } from './automation-news.ts';

/** A run under way that was planned to write partitions of the asset. */
interface OpenPlan {
  readonly runNo: number;
  readonly backfillNo: number | null;
  readonly eventId: number;
  readonly planned: PartitionSubset;
  /** By this run. */
  written: PartitionSubset;
  /** What will have failed if the run fails: written by nobody since, planned by no later run. */
  unmet: PartitionSubset;
  /** What no later run was planned to write. */
  latest: PartitionSubset;
  /** What another run has written last, since this one was planned. */
  foreign: PartitionSubset;
  /** By check: partitions whose newest result is of this run. */
  readonly checked: Map<string, PartitionSubset>;
  /** Checks whose newest result of the asset as a whole is of this run. */
  readonly checkedWhole: Set<string>;
}

interface CheckMemory {
  /** Results on the newest write of their partition. */
  passed: PartitionSubset;
  failed: PartitionSubset;
  /** The newest result of the asset as a whole. */
  whole: { readonly eventId: number; readonly passed: boolean } | null;
  /** Whether the newest result is one of a partition. */
  partitioned: boolean;
  newest: number;
}

export interface StoredPlan {
  readonly runNo: number;
  readonly backfillNo: number | null;
  readonly eventId: number;
  readonly status: RunStatus;
  readonly planned: PartitionSubset;
}

export interface StoredWrite {
  readonly ordinal: number;
  readonly eventId: number;
  readonly runNo: number;
}

export interface StoredResult {
  readonly check: string;
  /** Null: the asset as a whole. */
  readonly ordinal: number | null;
  readonly eventId: number;
  readonly passed: boolean;
  readonly runNo: number;
}

/** What happened to an asset. */
export interface AssetHistory {
  /** Oldest first. Of runs that ended in success none is needed: they wrote what they were planned to. */
  readonly plans: readonly StoredPlan[];
  /** At least the newest of each partition, and all of runs under way. */
  readonly writes: readonly StoredWrite[];
  /** The newest of each check and partition. */
  readonly results: readonly StoredResult[];
}

/**
 * What automation knows of one asset, kept between two looks: each look adds what came since. Subsets are values, so
 * that what a view was given stays as it was.
 */
export class AutomationAssetMemory {
  readonly assetId: number;
  definition: PartitionsDefinition | null;
  /** The newest event that touched the asset or its checks. */
  changedAt = 0;
  news: RecentNews = NO_NEWS;
  #materialized = emptySubset;
  #failed = emptySubset;
  /** Last planned by a run that ended in failure, and written by no other since: its checks got no result then. */
  #unchecked = emptySubset;
  #lastWrite = 0;
  #lastResult = 0;
  #open: OpenPlan[] = [];
  /** Backfills that have not ended. */
  readonly #backfills = new Map<
    number,
    { readonly target: PartitionSubset; readonly written: PartitionSubset }
  >();
  readonly #checks = new Map<string, CheckMemory>();

  constructor(assetId: number, definition: PartitionsDefinition | null) {
    this.assetId = assetId;
    this.definition = definition;
  }

  /** Whether something was written, or a check's result recorded, after an event. */
  hasNewsAfter(eventId: number): boolean {
    return Math.max(this.#lastWrite, this.#lastResult) > eventId;
  }

  /** Adds what happened since the last look; at the first, ever. */
  apply(history: AssetHistory): void {
    this.#plan(history.plans);
    this.#check(history.results, this.#write(history.writes, history.results.length > 0));
    for (const { runNo, status } of history.plans) if (TERMINAL_RUN.has(status)) this.#end(runNo, status);
  }

  /** The numbers of the backfills that it knows to be under way. */
  backfills(): readonly number[] {
    return [...this.#backfills.keys()];
  }

  /** A backfill began; null: it ended. */
  setBackfill(
    backfillNo: number,
    backfill: { readonly target: PartitionSubset; readonly written: PartitionSubset } | null,
  ): void {
    if (backfill === null) this.#backfills.delete(backfillNo);
    else this.#backfills.set(backfillNo, backfill);
  }

  view(): AssetView {
    const { news } = this;
    return {
      materialized: this.#materialized,
      inProgress: unionOfAll(this.#open.map(({ planned, written }) => minus(planned, written))),
      executionFailed: this.#failed,
      backfillInProgress: unionOfAll(
        [...this.#backfills.values()].map(({ target, written: done }) => minus(target, done)),
      ),
      writesSince: (eventId) => news.writesSince(eventId),
    };
  }

  checkView(name: string): CheckView {
    const { news, definition } = this;
    const check = this.#checks.get(name);
    const waiting = unionOfAll(
      this.#open.map(({ planned, checked, checkedWhole }) =>
        checkedWhole.has(name) ? emptySubset : minus(planned, checked.get(name) ?? emptySubset),
      ),
    );
    const resultsSince: CheckView['resultsSince'] = (eventId) =>
      news.resultsSince(name, eventId, check?.partitioned === true && definition !== null);
    if (check?.partitioned === true && definition !== null) {
      const { passed, failed } = check;
      const executionFailed = minus(minus(this.#unchecked, passed), failed);
      return { partitioned: true, passed, failed, inProgress: waiting, executionFailed, resultsSince };
    }
    const whole = check?.whole ?? null;
    const result = whole !== null && whole.eventId > this.#lastWrite ? whole.passed : null;
    const when = (holds: boolean): PartitionSubset => (holds ? unpartitioned : emptySubset);
    return {
      partitioned: false,
      passed: when(result === true),
      failed: when(result === false),
      inProgress: when(!isEmpty(waiting)),
      executionFailed: when(result === null && !isEmpty(this.#unchecked)),
      resultsSince,
    };
  }

  #plan(plans: readonly StoredPlan[]): void {
    const known = new Set(this.#open.map(({ runNo }) => runNo));
    const opened: OpenPlan[] = [];
    let later = emptySubset;
    for (const { runNo, backfillNo, eventId, planned } of plans.toReversed()) {
      if (known.has(runNo)) continue;
      const latest = minus(planned, later);
      later = unionOf(later, planned);
      opened.push({
        runNo,
        backfillNo,
        eventId,
        planned,
        latest,
        unmet: latest,
        written: emptySubset,
        foreign: emptySubset,
        checked: new Map(),
        checkedWhole: new Set(),
      });
    }
    if (opened.length === 0) return;
    this.#failed = minus(this.#failed, later);
    this.#unchecked = minus(this.#unchecked, later);
    for (const open of this.#open) {
      open.unmet = minus(open.unmet, later);
      open.latest = minus(open.latest, later);
    }
    this.#open.push(...opened.reverse());
  }

  /** Returns the newest of these writes of each partition. */
  #write(writes: readonly StoredWrite[], hasResults: boolean): ReadonlyMap<number, StoredWrite> {
    const lastOf = new Map<number, StoredWrite>();
    if (writes.length === 0) return lastOf;
    if (this.#isFresh()) {
      for (const { eventId } of writes) this.#lastWrite = Math.max(this.#lastWrite, eventId);
      this.#materialized = subsetOfOrdinals(writes.map(({ ordinal }) => ordinal));
      if (!hasResults) return lastOf;
    }
    const byRun = new Map<number, number[]>(this.#open.map(({ runNo }) => [runNo, []]));
    for (const write of writes) {
      const { ordinal, eventId, runNo } = write;
      this.#lastWrite = Math.max(this.#lastWrite, eventId);
      if (eventId >= (lastOf.get(ordinal)?.eventId ?? 0)) lastOf.set(ordinal, write);
      byRun.get(runNo)?.push(ordinal);
    }
    const written = subsetOfOrdinals(lastOf.keys());
    this.#materialized = unionOf(this.#materialized, written);
    this.#failed = minus(this.#failed, written);
    this.#unchecked = minus(this.#unchecked, written);
    for (const open of this.#open) {
      const byThis = subsetOfOrdinals(byRun.get(open.runNo) ?? []);
      open.written = unionOf(open.written, byThis);
      const backfill = open.backfillNo === null ? undefined : this.#backfills.get(open.backfillNo);
      if (backfill !== undefined) {
        this.#backfills.set(open.backfillNo!, { ...backfill, written: unionOf(backfill.written, byThis) });
      }
      const since = lastWrites(lastOf, open);
      open.unmet = minus(open.unmet, subsetOfOrdinals(since.map(({ ordinal }) => ordinal)));
      const own = since.filter(({ runNo }) => runNo === open.runNo);
      const others = since.filter(({ runNo }) => runNo !== open.runNo);
      open.foreign = unionOf(
        minus(open.foreign, subsetOfOrdinals(own.map(({ ordinal }) => ordinal))),
        subsetOfOrdinals(others.map(({ ordinal }) => ordinal)),
      );
    }
    for (const check of this.#checks.values()) {
      check.passed = minus(check.passed, written);
      check.failed = minus(check.failed, written);
    }
    return lastOf;
  }

  #check(results: readonly StoredResult[], lastOf: ReadonlyMap<number, StoredWrite>): void {
    for (const [name, own] of Map.groupBy(results, ({ check }) => check)) {
      const check = this.#checkNamed(name);
      const byRun = new Map<number, number[]>();
      const passed: number[] = [];
      const failed: number[] = [];
      const anew: number[] = [];
      for (const result of own) {
        const { ordinal, eventId } = result;
        this.#lastResult = Math.max(this.#lastResult, eventId);
        if (eventId > check.newest) {
          check.newest = eventId;
          check.partitioned = ordinal !== null;
        }
        if (ordinal === null) {
          check.whole = { eventId, passed: result.passed };
          for (const open of this.#open) {
            if (open.runNo === result.runNo) open.checkedWhole.add(name);
            else open.checkedWhole.delete(name);
          }
          continue;
        }
        const ofRun = byRun.get(result.runNo);
        if (ofRun === undefined) byRun.set(result.runNo, [ordinal]);
        else ofRun.push(ordinal);
        anew.push(ordinal);
        if (eventId > (lastOf.get(ordinal)?.eventId ?? 0)) (result.passed ? passed : failed).push(ordinal);
      }
      const old = subsetOfOrdinals(anew);
      check.passed = unionOf(minus(check.passed, old), subsetOfOrdinals(passed));
      check.failed = unionOf(minus(check.failed, old), subsetOfOrdinals(failed));
      for (const { runNo, checked } of this.#open) {
        const before = minus(checked.get(name) ?? emptySubset, old);
        checked.set(name, unionOf(before, subsetOfOrdinals(byRun.get(runNo) ?? [])));
      }
    }
  }

  /** Nothing is under way, and nothing can be taken back by a write. */
  #isFresh(): boolean {
    const nothing = [this.#materialized, this.#failed, this.#unchecked].every(isEmpty);
    return nothing && this.#open.length === 0 && this.#checks.size === 0;
  }

  #checkNamed(name: string): CheckMemory {
    let check = this.#checks.get(name);
    if (check === undefined) {
      check = { passed: emptySubset, failed: emptySubset, whole: null, partitioned: false, newest: 0 };
      this.#checks.set(name, check);
    }
    return check;
  }

  #end(runNo: number, status: RunStatus): void {
    const open = this.#open.find((plan) => plan.runNo === runNo);
    if (open === undefined) return;
    this.#open = this.#open.filter((plan) => plan !== open);
    if (status !== 'FAILURE') return;
    this.#failed = unionOf(this.#failed, open.unmet);
    this.#unchecked = unionOf(this.#unchecked, minus(open.latest, open.foreign));
  }
}

/** Of what a run was planned to write, the newest writes that came after its plan. */
function lastWrites(
  lastOf: ReadonlyMap<number, StoredWrite>,
  { planned, eventId }: Pick<OpenPlan, 'planned' | 'eventId'>,
): StoredWrite[] {
  const found: StoredWrite[] = [];
  const add = (write: StoredWrite | undefined): void => {
    if (write !== undefined && write.eventId > eventId) found.push(write);
  };
  if (countOf(planned) < lastOf.size) for (const ordinal of ordinalsOf(planned)) add(lastOf.get(ordinal));
  else for (const write of lastOf.values()) if (has(planned, write.ordinal)) add(write);
  return found;
}

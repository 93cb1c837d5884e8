import type { AssetView, AutomationView, CheckView } from '../../automation/asset-view.ts';
import type { PartitionsDefinition } from '../../partitions/definition/partitions-definition.ts';
import { sameDefinition } from '../../partitions/mapping/key-mappings.ts';
import { emptySubset } from '../../partitions/subset/partition-subset.ts';
import type { AutomationSubject } from '../automation-store.ts';
import { AutomationAssetMemory } from './automation-asset.ts';
import { syncBackfills } from './automation-backfills.ts';
import { changesAfter, touch } from './automation-changes.ts';
import { type Learned, newHistory, tracesOf, wholeHistory } from './automation-history.ts';
import { type RecentNews, readNews } from './automation-news.ts';
import { createOrdinalReader } from './automation-ordinals.ts';
import type { StoreContext } from './context.ts';
import { lastEventId } from './event-log.ts';
import { findAssets, type Reader } from './identities.ts';
import { plannedAssetRuns, plannedRunsOfAssets } from './planned-subsets.ts';

interface Remembered extends Learned {
  /** What views are given; made anew when something changes. */
  readonly shown: Shown;
}

interface Shown {
  readonly changedAt: number;
  readonly asset: AssetView;
  readonly checks: ReadonlyMap<string, CheckView>;
  readonly news: RecentNews;
}

/**
 * Looks at what assets are, for automation: the first time at all rows of an asset, later at what came since. A look is one
 * transaction, so that every answer is as of one event.
 */
export function createAutomationLook(
  context: StoreContext,
): (subjects: readonly AutomationSubject[]) => Promise<AutomationView> {
  /** The newest event that the memory knows. */
  let known = 0;
  /** Null: the store knows nothing of such an asset. */
  let ids = new Map<string, number | null>();
  const texts = new Map<number, string>();
  const remembered = new Map<number, Remembered>();

  function forget(): void {
    known = 0;
    ids = new Map();
    remembered.clear();
  }

  return async (subjects) =>
    context.db
      .transaction()
      .execute(async (db) => {
        const now = context.clock.now();
        return look({ db, definitions: context.definitions }, now, subjects);
      })
      .catch((error: unknown) => {
        // What it remembers may be half of a look.
        forget();
        throw error;
      });

  async function look(
    tx: Reader,
    now: number,
    subjects: readonly AutomationSubject[],
  ): Promise<AutomationView> {
    const eventId = await lastEventId(tx);
    if (eventId < known) forget();
    if (eventId > known) await catchUp(tx, eventId);
    await findIds(tx, subjects);
    await learn(tx, subjects, eventId);
    const assets = new Map<string, Shown>();
    const seen = new Set<number>();
    for (const { key, checks, writesAfter } of subjects) {
      const id = ids.get(key) ?? null;
      const own = id === null ? undefined : remembered.get(id);
      if (id === null || own === undefined) continue;
      seen.add(id);
      const { memory, shown } = own;
      await bringNews(tx, own, writesAfter);
      if (shown.news !== memory.news || !checks.every((name) => shown.checks.has(name))) {
        remembered.set(id, { ...own, shown: show(memory, checks) });
      }
      assets.set(key, remembered.get(id)!.shown);
    }
    if (seen.size < remembered.size)
      for (const id of remembered.keys()) if (!seen.has(id)) remembered.delete(id);
    return viewOf(now, eventId, assets);
  }

  async function findIds(tx: Reader, subjects: readonly AutomationSubject[]): Promise<void> {
    const unknown = subjects.map(({ key }) => key).filter((key) => !ids.has(key));
    if (unknown.length === 0) return;
    const found = await findAssets(tx, unknown);
    for (const key of unknown) ids.set(key, found.get(key) ?? null);
  }

  /** What came since the last look is added to what is remembered. */
  async function catchUp(tx: Reader, eventId: number): Promise<void> {
    if (known > 0) {
      const changes = await changesAfter(tx, known);
      const plans = Map.groupBy(
        await plannedAssetRuns(tx, { runNos: changes.runNos }),
        ({ assetId }) => assetId,
      );
      for (const assetId of plans.keys()) touch(changes.at, assetId, eventId);
      if (changes.backfills) {
        for (const assetId of await syncBackfills(tx, remembered)) touch(changes.at, assetId, eventId);
      }
      for (const [assetId, at] of changes.at) {
        const own = remembered.get(assetId);
        if (own === undefined) continue;
        const { memory } = own;
        memory.apply(await newHistory(tx, own, plans.get(assetId) ?? [], changes, known));
        memory.changedAt = at;
        remembered.set(assetId, { ...own, shown: show(memory, own.shown.checks.keys()) });
      }
      if (changes.renamed) ids = new Map();
      else for (const [key, id] of ids) if (id === null) ids.delete(key);
    }
    known = eventId;
  }

  /** All of the assets that are seen for the first time, or under another definition. */
  async function learn(tx: Reader, subjects: readonly AutomationSubject[], eventId: number): Promise<void> {
    const unknown = new Map<number, AutomationSubject>();
    for (const subject of subjects) {
      const id = ids.get(subject.key) ?? null;
      if (id === null) continue;
      const own = remembered.get(id);
      if (own === undefined || !isOf(own.memory, subject.partitions)) unknown.set(id, subject);
    }
    if (unknown.size === 0) return;
    const plans = Map.groupBy(await plannedRunsOfAssets(tx, [...unknown.keys()]), ({ assetId }) => assetId);
    const traces = await tracesOf(tx, [...unknown.keys()]);
    const fresh = new Map<number, Learned>();
    for (const [assetId, { partitions }] of unknown) {
      const memory = new AutomationAssetMemory(assetId, partitions);
      fresh.set(assetId, { memory, reader: createOrdinalReader(partitions, texts) });
    }
    await syncBackfills(tx, fresh);
    for (const [assetId, own] of fresh) {
      const { memory, reader } = own;
      const trace = traces.get(assetId);
      if (trace !== undefined) {
        memory.apply(await wholeHistory(tx, own, plans.get(assetId) ?? [], trace));
        // When it was touched last is not kept: an evaluation too many after a start does no harm.
        memory.changedAt = eventId;
      }
      remembered.set(assetId, { memory, reader, shown: show(memory, unknown.get(assetId)!.checks) });
    }
  }
}

/** Only what is new is read, and only for those whose last evaluation has not seen it. */
async function bringNews(tx: Reader, { memory, reader }: Learned, after: number): Promise<void> {
  if (!memory.hasNewsAfter(after)) return;
  if (memory.news.after <= after && memory.news.upTo >= memory.changedAt) return;
  memory.news = await readNews(tx, memory.assetId, reader, { after, upTo: memory.changedAt });
}

const NOTHING: AssetView = {
  materialized: emptySubset,
  inProgress: emptySubset,
  executionFailed: emptySubset,
  backfillInProgress: emptySubset,
  writesSince: () => [],
};

const UNCHECKED: CheckView = {
  partitioned: false,
  passed: emptySubset,
  failed: emptySubset,
  inProgress: emptySubset,
  executionFailed: emptySubset,
  resultsSince: () => [],
};

function viewOf(now: number, eventId: number, assets: ReadonlyMap<string, Shown>): AutomationView {
  let targets: Map<string, ReadonlySet<string>> | null = null;
  return {
    now,
    eventId,
    changedAt: (key) => assets.get(key)?.changedAt ?? 0,
    asset: (key) => assets.get(key)?.asset ?? NOTHING,
    check: (key, name) => assets.get(key)?.checks.get(name) ?? UNCHECKED,
    runTargets(runId, entity) {
      targets ??= new Map([...assets.values()].flatMap(({ news }) => [...news.targets]));
      // A run that is to write an asset runs its checks.
      const asset = assets.has(entity) ? entity : entity.slice(0, Math.max(0, entity.lastIndexOf(':')));
      return targets.get(runId)?.has(asset) === true;
    },
  };
}

function show(memory: AutomationAssetMemory, checks: Iterable<string>): Shown {
  return {
    changedAt: memory.changedAt,
    asset: memory.view(),
    checks: new Map([...checks].map((name) => [name, memory.checkView(name)])),
    news: memory.news,
  };
}

/** A definition that was read anew and says the same numbers its partitions alike. */
function isOf(memory: AutomationAssetMemory, partitions: PartitionsDefinition | null): boolean {
  if (memory.definition === partitions) return true;
  if (memory.definition === null || partitions === null) return false;
  if (!sameDefinition(memory.definition, partitions)) return false;
  memory.definition = partitions;
  return true;
}

import type { AssetView, AutomationView, CheckView } from '../../automation/asset-view.ts';
import type { PartitionsDefinition } from '../../partitions/definition/partitions-definition.ts';
import { sameDefinition } from '../../partitions/mapping/key-mappings.ts';
import { emptySubset } from '../../partitions/subset/partition-subset.ts';
import type { AutomationSubject } from '../automation-store.ts';
import { type AssetHistory, AutomationAssetMemory, type StoredWrite } from './automation-asset.ts';
import { backfillOf, unfinishedBackfills } from './automation-backfills.ts';
import { type RecentNews, readNews } from './automation-news.ts';
import { createOrdinalReader, type OrdinalReader } from './automation-ordinals.ts';
import type { StoreContext } from './context.ts';
import { findAssets, type Reader } from './identities.ts';
import { chunks } from './json.ts';
import { type PlannedAssetRun, plannedAssetRuns, plannedSubset } from './planned-subsets.ts';

const CHUNK = 500;
/** What changes what a run has planned for its assets. */
const RUN_EVENTS = ['run_enqueued', 'run_succeeded', 'run_failed', 'run_canceled'];
const NEW_NAMES = 'revision_applied';
const BACKFILLS = 'backfill_changed';

interface Remembered {
  readonly memory: AutomationAssetMemory;
  readonly reader: OrdinalReader;
  /** What views are given; made anew when something changes. */
  readonly shown: Shown;
}

interface Shown {
  readonly changedAt: number;
  readonly asset: AssetView;
  readonly checks: ReadonlyMap<string, CheckView>;
  readonly news: RecentNews;
}

interface Changes {
  /** By asset: the newest event that touched it. */
  readonly at: Map<number, number>;
  readonly written: ReadonlySet<number>;
  readonly runNos: readonly number[];
  readonly renamed: boolean;
  /** A backfill began or ended. */
  readonly backfills: boolean;
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
    const eventId = await newestEvent(tx);
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
    const plans = Map.groupBy(
      await plannedAssetRuns(tx, { assetIds: [...unknown.keys()] }),
      ({ assetId }) => assetId,
    );
    const traces = await tracesOf(tx, [...unknown.keys()]);
    const fresh = new Map<number, Pick<Remembered, 'memory' | 'reader'>>();
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

async function newestEvent({ db }: Reader): Promise<number> {
  const row = await db
    .selectFrom('event')
    .select('event_id')
    .orderBy('event_id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.event_id ?? 0;
}

async function changesAfter({ db }: Reader, known: number): Promise<Changes> {
  const at = new Map<number, number>();
  const written = await db
    .selectFrom('asset_partition')
    .select(['asset_id', (eb) => eb.fn.max('mat_event_id').as('event_id')])
    .where('mat_event_id', '>', known)
    .groupBy('asset_id')
    .execute();
  const checked = await db
    .selectFrom('asset_check')
    .select(['asset_id', (eb) => eb.fn.max('event_id').as('event_id')])
    .where('event_id', '>', known)
    .groupBy('asset_id')
    .execute();
  for (const row of [...written, ...checked]) touch(at, row.asset_id, row.event_id ?? 0);
  const events = await db
    .selectFrom('event')
    .select(['run_no', 'type'])
    .distinct()
    .where('event_id', '>', known)
    .where('type', 'in', [...RUN_EVENTS, NEW_NAMES, BACKFILLS])
    .execute();
  return {
    at,
    written: new Set(written.map((row) => row.asset_id)),
    runNos: [...new Set(events.flatMap((row) => (row.run_no === null ? [] : [row.run_no])))],
    renamed: events.some((row) => row.type === NEW_NAMES),
    backfills: events.some((row) => row.type === BACKFILLS),
  };
}

function touch(at: Map<number, number>, assetId: number, eventId: number): void {
  at.set(assetId, Math.max(at.get(assetId) ?? 0, eventId));
}

function plansOf(
  { memory }: Pick<Remembered, 'memory'>,
  runs: readonly PlannedAssetRun[],
): AssetHistory['plans'] {
  return runs.map((run) => ({
    runNo: run.runNo,
    backfillNo: run.backfillNo,
    eventId: run.eventId,
    status: run.status,
    planned: plannedSubset(run, memory.definition),
  }));
}

async function newHistory(
  tx: Reader,
  own: Remembered,
  runs: readonly PlannedAssetRun[],
  changes: Changes,
  known: number,
): Promise<AssetHistory> {
  const { assetId } = own.memory;
  const writes = !changes.written.has(assetId)
    ? []
    : await tx.db
        .selectFrom('materialization')
        .select(['p_kind', 'p1', 'p2', 'event_id', 'run_no'])
        .where('asset_id', '=', assetId)
        .where('event_id', '>', known)
        .orderBy('event_id')
        .execute();
  return {
    plans: plansOf(own, runs),
    writes: await toWrites(tx, own.reader, writes),
    results: await readResults(tx, own, known),
  };
}

async function wholeHistory(
  tx: Reader,
  own: Pick<Remembered, 'memory' | 'reader'>,
  runs: readonly PlannedAssetRun[],
  trace: Trace,
): Promise<AssetHistory> {
  const { assetId } = own.memory;
  const last = !trace.written
    ? []
    : await tx.db
        .selectFrom('asset_partition')
        .select(['p_kind', 'p1', 'p2', 'mat_event_id as event_id', 'mat_run_no as run_no'])
        .where('asset_id', '=', assetId)
        .where('mat_event_id', 'is not', null)
        .orderBy('p_kind')
        .orderBy('p1')
        .orderBy('p2')
        .execute();
  const writes = await toWrites(tx, own.reader, last);
  const underWay = runs.filter(({ status }) => status !== 'FAILURE' && status !== 'CANCELED');
  for (const some of chunks(
    underWay.map(({ runNo }) => runNo),
    CHUNK,
  )) {
    const written = await tx.db
      .selectFrom('materialization')
      .select(['p_kind', 'p1', 'p2', 'event_id', 'run_no'])
      .where('run_no', 'in', some)
      .where('asset_id', '=', assetId)
      .execute();
    for (const write of await toWrites(tx, own.reader, written)) writes.push(write);
  }
  return {
    plans: plansOf(own, runs),
    writes,
    results: trace.checked ? await readResults(tx, own, 0) : [],
  };
}

async function toWrites(
  tx: Reader,
  reader: OrdinalReader,
  rows: readonly {
    readonly p_kind: number;
    readonly p1: number;
    readonly p2: number;
    readonly event_id: number | null;
    readonly run_no: number | null;
  }[],
): Promise<StoredWrite[]> {
  const ordinals = await reader.read(tx, rows);
  const writes: StoredWrite[] = [];
  for (const [index, row] of rows.entries()) {
    const ordinal = ordinals[index];
    if (ordinal != null) writes.push({ ordinal, eventId: row.event_id ?? 0, runNo: row.run_no ?? 0 });
  }
  return writes;
}

async function readResults(
  tx: Reader,
  { memory, reader }: Pick<Remembered, 'memory' | 'reader'>,
  after: number,
): Promise<AssetHistory['results']> {
  const rows = await tx.db
    .selectFrom('asset_check')
    .select(['check_name', 'p_kind', 'p1', 'p2', 'event_id', 'passed', 'run_no'])
    .where('asset_id', '=', memory.assetId)
    .where('event_id', '>', after)
    .execute();
  const ordinals = await reader.readResults(tx, rows);
  return rows.flatMap((row, index) => {
    const ordinal = ordinals[index];
    if (ordinal === undefined) return [];
    const { check_name: check, event_id: eventId, run_no: runNo } = row;
    return [{ check, ordinal, eventId, passed: row.passed === 1, runNo }];
  });
}

/** What there is of an asset at all. */
interface Trace {
  readonly written: boolean;
  readonly checked: boolean;
}

/** Of assets that nothing has happened to there is none. */
async function tracesOf({ db }: Reader, assetIds: readonly number[]): Promise<ReadonlyMap<number, Trace>> {
  const found = new Map<number, Trace>();
  for (const some of chunks(assetIds, CHUNK)) {
    const rows = await db
      .selectFrom('asset')
      .select((eb) => [
        'asset.asset_id',
        eb
          .exists(
            eb
              .selectFrom('asset_partition')
              .select('asset_partition.asset_id')
              .whereRef('asset_partition.asset_id', '=', 'asset.asset_id')
              .where('asset_partition.mat_event_id', 'is not', null),
          )
          .as('written'),
        eb
          .exists(
            eb
              .selectFrom('asset_check')
              .select('asset_check.asset_id')
              .whereRef('asset_check.asset_id', '=', 'asset.asset_id'),
          )
          .as('checked'),
        eb
          .exists(
            eb
              .selectFrom('run_asset')
              .select('run_asset.asset_id')
              .whereRef('run_asset.asset_id', '=', 'asset.asset_id'),
          )
          .as('planned'),
      ])
      .where('asset.asset_id', 'in', some)
      .execute();
    for (const row of rows) {
      const [written, checked, planned] = [row.written, row.checked, row.planned].map(Boolean);
      if (written || checked || planned) found.set(row.asset_id, { written: written!, checked: checked! });
    }
  }
  return found;
}

/** Tells assets of backfills that began and ended; which of them there was something to tell. */
async function syncBackfills(
  tx: Reader,
  assets: ReadonlyMap<number, Pick<Remembered, 'memory' | 'reader'>>,
): Promise<readonly number[]> {
  const unfinished = await unfinishedBackfills(tx);
  const told: number[] = [];
  for (const [assetId, { memory, reader }] of assets) {
    const present = unfinished.get(assetId) ?? new Set();
    const known = memory.backfills();
    const ended = known.filter((backfillNo) => !present.has(backfillNo));
    const begun = [...present].filter((backfillNo) => !known.includes(backfillNo));
    for (const backfillNo of ended) memory.setBackfill(backfillNo, null);
    for (const backfillNo of begun) {
      memory.setBackfill(backfillNo, await backfillOf(tx, backfillNo, assetId, memory.definition, reader));
    }
    if (ended.length + begun.length > 0) told.push(assetId);
  }
  return told;
}

/** Only what is new is read, and only for those whose last evaluation has not seen it. */
async function bringNews(tx: Reader, { memory, reader }: Remembered, after: number): Promise<void> {
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

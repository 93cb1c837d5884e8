import type { AssetWrite, CheckResult } from '../../automation/asset-view.ts';
import type { Instant } from '../../lib/clock.ts';
import { unpartitioned } from '../../partitions/mapping/map-partitions.ts';
import { subsetOfOrdinals } from '../../partitions/subset/partition-subset.ts';
import type { OrdinalReader, StoredPartition } from './automation-ordinals.ts';
import type { Reader } from './identities.ts';
import { chunks, fromJson } from './json.ts';

const CHUNK = 500;

/** What was written and checked after an event; only that it is asked for. */
export interface RecentNews {
  /** All after this event is in it. */
  readonly after: number;
  /** Nothing after this event is. */
  readonly upTo: number;
  writesSince(eventId: number): readonly AssetWrite[];
  resultsSince(check: string, eventId: number, partitioned: boolean): readonly CheckResult[];
  /** Runs that wrote or checked, by id, with the keys of all assets that they were planned to write. */
  readonly targets: ReadonlyMap<string, ReadonlySet<string>>;
}

export const NO_NEWS: RecentNews = {
  after: Number.POSITIVE_INFINITY,
  upTo: 0,
  writesSince: () => [],
  resultsSince: () => [],
  targets: new Map(),
};

interface NewWrite {
  readonly eventId: number;
  readonly at: Instant;
  readonly runId: string;
  readonly codeVersion: string | null;
  readonly dataVersion: string | null;
  readonly partitions: readonly { readonly ordinal: number; readonly row: StoredPartition }[];
}

/** Reads what came after an event, up to and with another. */
export async function readNews(
  tx: Reader,
  assetId: number,
  reader: OrdinalReader,
  range: { readonly after: number; readonly upTo: number },
): Promise<RecentNews> {
  const writes = await readWrites(tx, assetId, reader, range.after);
  const results = await readResults(tx, assetId, reader, range.after);
  const versions = await versionHistory(tx, assetId, range.after, writes);
  const runIds = [...writes, ...results].map(({ runId }) => runId);
  return {
    ...range,
    targets: await targetsOf(tx, runIds),
    writesSince: (eventId) => lastWrites(writes, eventId, versions),
    resultsSince(name, eventId, partitioned) {
      return results
        .filter(
          (one) => one.check === name && one.eventId > eventId && (one.ordinal !== null) === partitioned,
        )
        .map(({ eventId: event, at, runId, ordinal }) => ({
          eventId: event,
          at,
          runId,
          partitions: ordinal === null ? unpartitioned : subsetOfOrdinals([ordinal]),
        }));
    },
  };
}

/**
 * The newest write of each partition. Writes of a run with nothing in between are one: a step that reports a hundred
 * thousand partitions one by one is not a hundred thousand moments.
 */
function lastWrites(
  writes: readonly NewWrite[],
  after: number,
  versions: VersionHistory,
): readonly AssetWrite[] {
  const newest = new Map<number, number>();
  for (const { eventId, partitions } of writes)
    for (const { ordinal } of partitions) newest.set(ordinal, eventId);
  const groups: (Omit<AssetWrite, 'partitions'> & { readonly ordinals: number[] })[] = [];
  let open: typeof groups = [];
  let lastEvent = 0;
  for (const { eventId, at, runId, codeVersion, dataVersion, partitions } of writes) {
    if (eventId <= after) continue;
    if (eventId !== lastEvent + 1 || open.some((group) => group.runId !== runId)) open = [];
    lastEvent = eventId;
    for (const { ordinal } of partitions) {
      if (newest.get(ordinal) !== eventId) continue;
      const dataChanged = dataVersion === null || versions(ordinal, after) !== dataVersion;
      const same = open.find(
        (group) => group.codeVersion === codeVersion && group.dataChanged === dataChanged,
      );
      if (same !== undefined) {
        Object.assign(same, { eventId, at });
        same.ordinals.push(ordinal);
        continue;
      }
      const group = { eventId, at, runId, codeVersion, dataChanged, ordinals: [ordinal] };
      groups.push(group);
      open.push(group);
    }
  }
  return groups.map(({ ordinals, ...write }) => ({ ...write, partitions: subsetOfOrdinals(ordinals) }));
}

async function readWrites(
  tx: Reader,
  assetId: number,
  reader: OrdinalReader,
  after: number,
): Promise<readonly NewWrite[]> {
  const rows = await tx.db
    .selectFrom('materialization')
    .innerJoin('run', 'run.run_no', 'materialization.run_no')
    .leftJoin('event', 'event.event_id', 'materialization.event_id')
    .leftJoin('step_asset', (join) =>
      join
        .onRef('step_asset.run_no', '=', 'materialization.run_no')
        .onRef('step_asset.step_key', '=', 'materialization.step_key')
        .onRef('step_asset.asset_id', '=', 'materialization.asset_id'),
    )
    .select([
      'materialization.event_id',
      'materialization.p_kind',
      'materialization.p1',
      'materialization.p2',
      'materialization.at',
      'run.run_id',
      'step_asset.code_version',
      'event.payload',
    ])
    .where('materialization.asset_id', '=', assetId)
    .where('materialization.event_id', '>', after)
    .orderBy('materialization.event_id')
    .execute();
  const ordinals = await reader.read(tx, rows);
  const writes: (NewWrite & { readonly partitions: { ordinal: number; row: StoredPartition }[] })[] = [];
  for (const [index, row] of rows.entries()) {
    const ordinal = ordinals[index];
    if (ordinal == null) continue;
    const last = writes.at(-1);
    if (last?.eventId === row.event_id) {
      last.partitions.push({ ordinal, row });
      continue;
    }
    writes.push({
      eventId: row.event_id,
      at: row.at,
      runId: row.run_id,
      codeVersion: row.code_version,
      dataVersion: dataVersionOf(row.payload),
      partitions: [{ ordinal, row }],
    });
  }
  return writes;
}

async function readResults(tx: Reader, assetId: number, reader: OrdinalReader, after: number) {
  const rows = await tx.db
    .selectFrom('asset_check')
    .innerJoin('run', 'run.run_no', 'asset_check.run_no')
    .select([
      'asset_check.check_name',
      'asset_check.p_kind',
      'asset_check.p1',
      'asset_check.p2',
      'asset_check.event_id',
      'asset_check.at',
      'run.run_id',
    ])
    .where('asset_check.asset_id', '=', assetId)
    .where('asset_check.event_id', '>', after)
    .orderBy('asset_check.event_id')
    .execute();
  const ordinals = await reader.readResults(tx, rows);
  return rows.flatMap((row, index) => {
    const ordinal = ordinals[index];
    if (ordinal === undefined) return [];
    return [{ check: row.check_name, eventId: row.event_id, at: row.at, runId: row.run_id, ordinal }];
  });
}

/** The data version that a partition had at an event; null: none is known. */
type VersionHistory = (ordinal: number, eventId: number) => string | null;

/** Only of partitions whose new writes say one. */
async function versionHistory(
  tx: Reader,
  assetId: number,
  after: number,
  writes: readonly NewWrite[],
): Promise<VersionHistory> {
  const history = new Map<number, { readonly eventId: number; readonly version: string | null }[]>();
  for (const { eventId, dataVersion, partitions } of writes.toReversed()) {
    for (const { ordinal, row } of partitions) {
      const own = history.get(ordinal);
      if (own !== undefined) own.push({ eventId, version: dataVersion });
      else if (dataVersion !== null) {
        const before = await writeBefore(tx, assetId, after, row);
        history.set(ordinal, [{ eventId, version: dataVersion }, ...before]);
      }
    }
  }
  for (const own of history.values()) own.sort((a, b) => b.eventId - a.eventId);
  return (ordinal, eventId) =>
    history.get(ordinal)?.find((write) => write.eventId <= eventId)?.version ?? null;
}

/** The newest write of a partition that is not new. */
async function writeBefore(
  tx: Reader,
  assetId: number,
  after: number,
  { p_kind, p1, p2 }: StoredPartition,
): Promise<{ readonly eventId: number; readonly version: string | null }[]> {
  const rows = await tx.db
    .selectFrom('materialization')
    .leftJoin('event', 'event.event_id', 'materialization.event_id')
    .select(['materialization.event_id', 'event.payload'])
    .where('materialization.asset_id', '=', assetId)
    .where('materialization.p_kind', '=', p_kind)
    .where('materialization.p1', '=', p1)
    .where('materialization.p2', '=', p2)
    .where('materialization.event_id', '<=', after)
    .orderBy('materialization.event_id', 'desc')
    .limit(1)
    .execute();
  return rows.map((row) => ({ eventId: row.event_id, version: dataVersionOf(row.payload) }));
}

function dataVersionOf(payload: string | null): string | null {
  if (payload?.includes('"data_version"') !== true) return null;
  return fromJson<{ data_version?: string | null }>(payload).data_version ?? null;
}

async function targetsOf(
  tx: Reader,
  runIds: readonly string[],
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const targets = new Map<string, Set<string>>();
  for (const some of chunks([...new Set(runIds)], CHUNK)) {
    const rows = await tx.db
      .selectFrom('run')
      .innerJoin('step_asset', 'step_asset.run_no', 'run.run_no')
      .innerJoin('asset', 'asset.asset_id', 'step_asset.asset_id')
      .select(['run.run_id', 'asset.key'])
      .where('run.run_id', 'in', some)
      .execute();
    for (const { run_id, key } of rows) {
      const own = targets.get(run_id);
      if (own === undefined) targets.set(run_id, new Set([key]));
      else own.add(key);
    }
  }
  return targets;
}

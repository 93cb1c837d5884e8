import { subsetUnder } from '../../automation/cursor.ts';
import type { PartitionsDefinition } from '../../partitions/definition/partitions-definition.ts';
import {
  emptySubset,
  type PartitionSubset,
  subsetOfOrdinals,
  unionOf,
} from '../../partitions/subset/partition-subset.ts';
import type { Learned } from './automation-history.ts';
import type { OrdinalReader } from './automation-ordinals.ts';
import { decodeGroups } from './backfill-groups.ts';
import type { Reader } from './identities.ts';

const UNFINISHED = ['REQUESTED', 'PAUSED', 'CANCELING'];

/** Tells assets of backfills that began and ended; which of them there was something to tell. */
export async function syncBackfills(
  tx: Reader,
  assets: ReadonlyMap<number, Learned>,
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

/** Backfills that have not ended, by asset. */
async function unfinishedBackfills({ db }: Reader): Promise<ReadonlyMap<number, ReadonlySet<number>>> {
  const rows = await db
    .selectFrom('backfill')
    .innerJoin('backfill_asset', 'backfill_asset.backfill_no', 'backfill.backfill_no')
    .select(['backfill_asset.asset_id', 'backfill.backfill_no'])
    .where('backfill.status', 'in', UNFINISHED)
    .execute();
  const found = new Map<number, Set<number>>();
  for (const { asset_id, backfill_no } of rows) {
    found.set(asset_id, (found.get(asset_id) ?? new Set()).add(backfill_no));
  }
  return found;
}

/** What a backfill is to write of an asset, and what its runs have written, under the asset's definition of today. */
async function backfillOf(
  reader: Reader,
  backfillNo: number,
  assetId: number,
  today: PartitionsDefinition | null,
  ordinals: OrdinalReader,
): Promise<{ readonly target: PartitionSubset; readonly written: PartitionSubset }> {
  const { db } = reader;
  const { groups, key } = await db
    .selectFrom('backfill')
    .innerJoin('backfill_asset', 'backfill_asset.backfill_no', 'backfill.backfill_no')
    .innerJoin('asset', 'asset.asset_id', 'backfill_asset.asset_id')
    .select(['backfill.groups', 'asset.key'])
    .where('backfill.backfill_no', '=', backfillNo)
    .where('backfill_asset.asset_id', '=', assetId)
    .executeTakeFirstOrThrow();
  let target = emptySubset;
  for (const { definition, parts } of decodeGroups(groups)) {
    for (const { assets, subset } of parts) {
      if (assets.includes(key))
        target = unionOf(target, subsetUnder({ partitions: definition, subset }, today));
    }
  }
  const rows = await db
    .selectFrom('run')
    .innerJoin('materialization', 'materialization.run_no', 'run.run_no')
    .select(['materialization.p_kind', 'materialization.p1', 'materialization.p2'])
    .where('run.backfill_no', '=', backfillNo)
    .where('materialization.asset_id', '=', assetId)
    .execute();
  const written = (await ordinals.read(reader, rows)).filter((ordinal) => ordinal !== null);
  return { target, written: subsetOfOrdinals(written) };
}

import { unpartitioned } from '../../partitions/mapping/map-partitions.ts';
import type { PartitionSubset } from '../../partitions/subset/partition-subset.ts';
import {
  intersectionOf,
  minus,
  rangesOf,
  subsetOfOrdinals,
  subsetOfRanges,
  unionOf,
  unionOfAll,
} from '../../partitions/subset/partition-subset.ts';
import { subsetOfItem } from '../../plan/backfill-items.ts';
import type { BackfillGroup } from '../../plan/backfill-plan.ts';
import type { BackfillStore } from '../backfill-store.ts';
import type { ItemStatus } from './backfill-items.ts';
import type { StoreContext } from './context.ts';
import { findAssets, staticTexts } from './identities.ts';
import { fromJson } from './json.ts';
import { kindOf, ordinalsBy, staticSides } from './partition-ordinals.ts';

type Partitions = NonNullable<Awaited<ReturnType<BackfillStore['partitions']>>>;

/**
 * What became of each partition of one asset in a backfill: that of the item it lies in. Of an item that failed or was
 * canceled the asset may have been written all the same; null: the backfill does not have the asset.
 */
export async function backfillPartitions(
  context: StoreContext,
  backfillNo: number,
  groups: readonly BackfillGroup[],
  assetKey: string,
): Promise<Partitions | null> {
  const position = groups.findIndex(({ parts }) => parts.some((part) => part.assets.includes(assetKey)));
  const group = groups[position];
  if (group === undefined) return null;
  const own = group.parts.map((part) => part.assets.includes(assetKey));
  const items = await context.db
    .selectFrom('backfill_item')
    .select(['item', 'part', 'start_key', 'end_key', 'partitions', 'status', 'dropped', 'judged_whole'])
    .where('backfill_no', '=', backfillNo)
    .where('group_no', '=', position)
    .execute();
  const ranges: Record<ItemStatus, [number, number][]> = {
    in_progress: [],
    materialized: [],
    failed: [],
    canceled: [],
    skipped: [],
  };
  const broken = new Set<number>();
  for (const row of items) {
    if (own[row.part] !== true) continue;
    const isDropped = row.dropped !== null && fromJson<string[]>(row.dropped).includes(assetKey);
    const status = isDropped ? 'skipped' : (row.status as ItemStatus);
    ranges[status].push(
      ...rangesOf(subsetOfItem(group.definition, { ...row, start: row.start_key, end: row.end_key })),
    );
    const isBroken = status === 'failed' || status === 'canceled' || status === 'in_progress';
    if (isBroken && row.judged_whole === 0) broken.add(row.item);
  }
  const subsets = {
    in_progress: subsetOfRanges(ranges.in_progress),
    materialized: subsetOfRanges(ranges.materialized),
    failed: subsetOfRanges(ranges.failed),
    canceled: subsetOfRanges(ranges.canceled),
    skipped: subsetOfRanges(ranges.skipped),
  };
  const written = intersectionOf(
    unionOfAll([subsets.failed, subsets.canceled, subsets.in_progress]),
    await writtenAllTheSame(context, backfillNo, group, assetKey, broken),
  );
  const known = {
    in_progress: minus(subsets.in_progress, written),
    materialized: unionOf(subsets.materialized, written),
    failed: minus(subsets.failed, written),
    canceled: minus(subsets.canceled, written),
    skipped: subsets.skipped,
  };
  const all = unionOfAll(group.parts.filter((_, index) => own[index]).map((part) => part.subset));
  return { ...known, not_started: minus(all, unionOfAll(Object.values(known))) };
}

/** Partitions of the asset that runs of items wrote although the item did not succeed (yet). */
async function writtenAllTheSame(
  { db, definitions }: StoreContext,
  backfillNo: number,
  { definition }: BackfillGroup,
  assetKey: string,
  items: ReadonlySet<number>,
): Promise<PartitionSubset> {
  if (items.size === 0) return { bounds: [] };
  const assetId = (await findAssets({ db, definitions }, [assetKey])).get(assetKey);
  if (assetId === undefined) return { bounds: [] };
  const rows = await db
    .selectFrom('backfill_item')
    .innerJoin('run', (join) =>
      join
        .onRef('run.backfill_no', '=', 'backfill_item.backfill_no')
        .onRef('run.backfill_item', '=', 'backfill_item.item'),
    )
    .innerJoin('materialization', 'materialization.run_no', 'run.run_no')
    .select(['backfill_item.item', 'materialization.p_kind', 'materialization.p1', 'materialization.p2'])
    .where('backfill_item.backfill_no', '=', backfillNo)
    .where('backfill_item.status', 'in', ['failed', 'canceled', 'in_progress'])
    .where('materialization.asset_id', '=', assetId)
    .execute();
  const found = rows.filter((row) => items.has(row.item));
  if (definition === null) return found.length > 0 ? unpartitioned : { bounds: [] };
  const kind = kindOf(definition);
  const [first, second] = staticSides(definition);
  const own = found.filter((row) => row.p_kind === kind);
  const texts = await staticTexts(
    { db, definitions },
    own.flatMap((row) => [...(first ? [row.p1] : []), ...(second ? [row.p2] : [])]),
  );
  const ordinalOf = ordinalsBy(definition, texts);
  return subsetOfOrdinals(own.map((row) => ordinalOf(row.p1, row.p2)).filter((ordinal) => ordinal !== null));
}

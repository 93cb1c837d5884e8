import type { PartitionsDefinition } from '../../partitions/definition/partitions-definition.ts';
import { OrdinalFlags } from '../../partitions/subset/ordinal-flags.ts';
import { emptySubset } from '../../partitions/subset/partition-subset.ts';
import type { PartitionSubsets } from '../store.ts';
import type { StoreContext } from './context.ts';
import { findAssets, staticTexts } from './identities.ts';
import { kindOf, ordinalsBy, staticSides } from './partition-ordinals.ts';

/** Bits of a partition. */
const WRITTEN = 1;
const FAILED = 2;
const ACTIVE = 4;

const NOTHING: PartitionSubsets = { materialized: emptySubset, failed: emptySubset, inProgress: emptySubset };

/** What happened to the partitions of an asset, as ordinals of `definition`. */
export async function partitionSubsets(
  context: StoreContext,
  assetKey: string,
  definition: PartitionsDefinition,
): Promise<PartitionSubsets> {
  const assetId = (await findAssets(context, [assetKey])).get(assetKey);
  if (assetId === undefined) return NOTHING;
  const rows = await context.db
    .selectFrom('asset_partition')
    .select(['p1', 'p2', 'mat_event_id', 'fail_event_id', 'active_count'])
    .where('asset_id', '=', assetId)
    .where('p_kind', '=', kindOf(definition))
    .orderBy('p1')
    .orderBy('p2')
    .execute();
  const [first, second] = staticSides(definition);
  const ids = rows.flatMap((row) => [...(first ? [row.p1] : []), ...(second ? [row.p2] : [])]);
  const ordinalOf = ordinalsBy(definition, await staticTexts(context, ids));
  const flags = new OrdinalFlags();
  for (const row of rows) {
    const ordinal = ordinalOf(row.p1, row.p2);
    if (ordinal === null) continue;
    const hasFailed = (row.fail_event_id ?? 0) > (row.mat_event_id ?? 0);
    flags.set(
      ordinal,
      (row.mat_event_id === null ? 0 : WRITTEN) |
        (hasFailed ? FAILED : 0) |
        (row.active_count > 0 ? ACTIVE : 0),
    );
  }
  return {
    materialized: flags.subsetOf(WRITTEN),
    failed: flags.subsetOf(FAILED),
    inProgress: flags.subsetOf(ACTIVE),
  };
}

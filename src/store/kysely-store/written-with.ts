import type { PartitionsDefinition } from '../../partitions/definition/partitions-definition.ts';
import { rangeSubset, subsetOfOrdinals } from '../../partitions/subset/partition-subset.ts';
import type { WrittenWith } from '../../plan/revision-plan/partition-impact.ts';
import type { StoreContext } from './context.ts';
import { findAssets, staticTexts } from './identities.ts';
import { P_KIND } from './partition-identity.ts';
import { kindOf, ordinalsBy, staticSides } from './partition-ordinals.ts';

/**
 * The partitions of an asset that were written, by the code version of their last write, as ordinals of `definition`; null:
 * the writes of the whole, as the ordinal 0.
 */
export async function writtenWith(
  context: StoreContext,
  assetKey: string,
  definition: PartitionsDefinition | null,
): Promise<readonly WrittenWith[]> {
  const assetId = (await findAssets(context, [assetKey])).get(assetKey);
  if (assetId === undefined) return [];
  const rows = await context.db
    .selectFrom('asset_partition')
    .select(['p1', 'p2', 'mat_run_no'])
    .where('asset_id', '=', assetId)
    .where('p_kind', '=', definition === null ? P_KIND.none : kindOf(definition))
    .where('mat_event_id', 'is not', null)
    .orderBy('p1')
    .orderBy('p2')
    .execute();
  if (rows.length === 0) return [];
  const versions = await versionsOf(context, assetId);
  const ordinalOf = definition === null ? () => 0 : await reader(context, definition, rows);
  const byVersion = new Map<string, number[]>();
  for (const row of rows) {
    const ordinal = ordinalOf(row.p1, row.p2);
    if (ordinal === null) continue;
    const version = versions.get(row.mat_run_no ?? -1) ?? '';
    const ordinals = byVersion.get(version);
    if (ordinals === undefined) byVersion.set(version, [ordinal]);
    else ordinals.push(ordinal);
  }
  return [...byVersion].map(([codeVersion, ordinals]) => ({
    codeVersion,
    subset: definition === null ? rangeSubset(0, 1) : subsetOfOrdinals(ordinals),
  }));
}

async function reader(
  context: StoreContext,
  definition: PartitionsDefinition,
  rows: readonly { readonly p1: number; readonly p2: number }[],
): Promise<ReturnType<typeof ordinalsBy>> {
  const [first, second] = staticSides(definition);
  const ids = rows.flatMap((row) => [...(first ? [row.p1] : []), ...(second ? [row.p2] : [])]);
  return ordinalsBy(definition, await staticTexts(context, ids));
}

/** Code version of the asset in each run that planned it: one plan, one version. */
async function versionsOf(context: StoreContext, assetId: number): Promise<ReadonlyMap<number, string>> {
  const rows = await context.db
    .selectFrom('run_asset')
    .innerJoin('step_asset', (join) =>
      join
        .onRef('step_asset.run_no', '=', 'run_asset.run_no')
        .onRef('step_asset.asset_id', '=', 'run_asset.asset_id'),
    )
    .select(['run_asset.run_no', 'step_asset.code_version'])
    .where('run_asset.asset_id', '=', assetId)
    .execute();
  return new Map(rows.map((row) => [row.run_no, row.code_version]));
}

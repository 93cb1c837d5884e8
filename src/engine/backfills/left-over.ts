import { emptySubset, unionOf, unionOfAll } from '../../partitions/subset/partition-subset.ts';
import { partsOf } from '../../plan/backfill-parts.ts';
import type { BackfillGroup } from '../../plan/backfill-plan.ts';
import type { BackfillRow, BackfillStore } from '../../store/backfill-store.ts';

/** What an ended backfill did not write: failed, canceled, passed over, never begun. Grouped as it was. */
export async function leftOver(
  store: Pick<BackfillStore, 'partitions'>,
  row: BackfillRow,
): Promise<BackfillGroup[]> {
  const left: (Omit<BackfillGroup, 'needs'> & { readonly was: number; readonly needs: readonly number[] })[] =
    [];
  for (const [was, group] of row.groups.entries()) {
    const assets: { key: string; subset: BackfillGroup['parts'][number]['subset'] }[] = [];
    for (const key of new Set(group.parts.flatMap((part) => part.assets))) {
      const found = await store.partitions(row.backfillId, key);
      const subset =
        found === null
          ? emptySubset
          : unionOf(
              unionOfAll([found.failed, found.canceled, found.skipped]),
              unionOf(found.not_started, found.in_progress),
            );
      assets.push({ key, subset });
    }
    const parts = partsOf(assets);
    if (parts.length > 0) left.push({ ...group, parts, was });
  }
  const position = new Map(left.map(({ was }, index) => [was, index]));
  return left.map(({ definition, parts, policy, serial, needs }) => ({
    definition,
    parts,
    policy,
    serial,
    needs: needs.flatMap((need) => position.get(need) ?? []),
  }));
}

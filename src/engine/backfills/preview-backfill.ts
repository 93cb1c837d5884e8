import type { Definitions } from '../../definitions/definitions.ts';
import { ordinalToKey } from '../../partitions/definition/key-order.ts';
import type { PartitionSubset } from '../../partitions/subset/partition-subset.ts';
import { countOf, emptySubset, intersectionOf, unionOf } from '../../partitions/subset/partition-subset.ts';
import { countItems, itemsOfBackfill } from '../../plan/backfill-items.ts';
import type { BackfillGroup } from '../../plan/backfill-plan.ts';
import type { BackfillRequest } from '../../plan/backfill-request.ts';
import type { AssetPartitions } from '../../plan/plan-backfill.ts';
import type { BackfillPreview } from '../backfill-engine.ts';

/** Runs that a preview shows. */
const PREVIEW_RUNS = 20;

/** What these groups would run, in numbers. */
export function previewOf(
  definitions: Definitions,
  request: BackfillRequest,
  groups: readonly BackfillGroup[],
  known: ReadonlyMap<string, AssetPartitions>,
): Pick<BackfillPreview, 'assets' | 'runs' | 'partitions' | 'firstRuns'> {
  const wanted = new Map<string, { subset: PartitionSubset; group: BackfillGroup }>();
  let partitions = 0;
  for (const group of groups) {
    for (const { assets, subset } of group.parts) {
      partitions += countOf(subset);
      for (const key of assets) {
        wanted.set(key, { subset: unionOf(wanted.get(key)?.subset ?? emptySubset, subset), group });
      }
    }
  }
  const assets = definitions.assets.order.flatMap((key) => {
    const found = wanted.get(key);
    if (found === undefined) return [];
    const { subset, group } = found;
    const { bounds } = subset;
    const keyAt = (ordinal: number | undefined): string | null =>
      ordinal === undefined || group.definition === null ? null : ordinalToKey(group.definition, ordinal);
    return {
      key,
      partitions: countOf(subset),
      alreadyMaterialized: countOf(intersectionOf(subset, known.get(key)?.materialized ?? emptySubset)),
      firstKey: keyAt(bounds[0]),
      lastKey: keyAt(bounds.length === 0 ? undefined : bounds.at(-1)! - 1),
    };
  });
  const firstRuns: {
    assets: readonly string[];
    start: string | null;
    end: string | null;
    partitions: number;
  }[] = [];
  for (const item of itemsOfBackfill(groups, request.order ?? 'asc')) {
    if (firstRuns.length === PREVIEW_RUNS) break;
    const part = groups[item.group]!.parts[item.part]!;
    firstRuns.push({ assets: part.assets, start: item.start, end: item.end, partitions: item.partitions });
  }
  return { assets, runs: countItems(groups), partitions, firstRuns };
}

import type { AssetSummary } from '../../../../src/server/contract/asset.ts';
import type { TimelineLane } from '../../../../src/server/contract/timeline.ts';
import { lastRuns } from '../../lib/last-runs.ts';

/** The last runs of a lane: its asset's, or those of its group's assets together. */
export function recentOf(
  assets: readonly AssetSummary[],
): (lane: Pick<TimelineLane, 'kind' | 'name'>) => AssetSummary['recent_runs'] {
  const byKey = new Map(assets.map((asset) => [asset.key, asset.recent_runs]));
  const byGroup = Map.groupBy(assets, ({ group }) => group);
  return ({ kind, name }) =>
    kind === 'asset' ? (byKey.get(name) ?? []) : kind === 'group' ? lastRuns(byGroup.get(name) ?? []) : [];
}

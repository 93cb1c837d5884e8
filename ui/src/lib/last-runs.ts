import type { AssetSummary } from '../../../src/server/contract/asset.ts';

const SHOWN = 20;

/** The last runs of some assets together, newest first, each once. */
export function lastRuns(assets: readonly Pick<AssetSummary, 'recent_runs'>[]): AssetSummary['recent_runs'] {
  const runs = new Map(assets.flatMap(({ recent_runs }) => recent_runs.map((run) => [run.run_id, run])));
  return [...runs.values()].sort((a, b) => (a.at < b.at ? 1 : -1)).slice(0, SHOWN);
}

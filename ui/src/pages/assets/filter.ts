import type { AssetState, AssetSummary } from '../../../../src/server/contract/asset.ts';
import { fuzzyScore } from '../../lib/fuzzy.ts';

export interface AssetFilter {
  readonly q: string;
  readonly group: string;
  readonly tool: string;
  readonly state: string;
}

type StateOf = (asset: AssetSummary) => AssetState;

/** The assets that pass; by relevance if something was typed, else by group and key. */
export function filterAssets(
  all: readonly AssetSummary[],
  filter: AssetFilter,
  stateOf: StateOf,
): AssetSummary[] {
  const passing = all.filter(
    (asset) =>
      (filter.group === '' || asset.group === filter.group) &&
      (filter.tool === '' || asset.tool === filter.tool) &&
      (filter.state === '' || matchesState(asset, filter.state, stateOf)),
  );
  if (filter.q.trim() === '') return passing.sort(byGroupAndKey);
  return passing
    .map((asset) => ({ asset, score: fuzzyScore(filter.q, textOf(asset)) }))
    .filter((one): one is { asset: AssetSummary; score: number } => one.score !== null)
    .sort((a, b) => b.score - a.score || byGroupAndKey(a.asset, b.asset))
    .map(({ asset }) => asset);
}

export function matchesState(asset: AssetSummary, state: string, stateOf: StateOf): boolean {
  if (state === 'held') return asset.held;
  if (state === 'active') return ['running', 'queued'].includes(stateOf(asset));
  return stateOf(asset) === state;
}

function textOf(asset: AssetSummary): string {
  return `${asset.key} ${asset.group} ${asset.owners.join(' ')} ${asset.kinds.join(' ')} ${asset.pipeline}`;
}

function byGroupAndKey(a: AssetSummary, b: AssetSummary): number {
  return compare(a.group, b.group) || compare(a.key, b.key);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

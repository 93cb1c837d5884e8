import type { AssetState, AssetSummary } from '../../../../src/server/contract/asset.ts';
import { fuzzyScore } from '../../lib/fuzzy.ts';

export interface AssetFilter {
  readonly q: string;
  readonly group: string;
  /** A kind, or the tool, which is one of them. */
  readonly kind: string;
  readonly owner: string;
  /** `name: value`. */
  readonly tag: string;
  readonly state: string;
}

type StateOf = (asset: AssetSummary) => AssetState;

/** Texts that are searched; of an asset that did not change it is made once. */
const texts = new WeakMap<AssetSummary, string>();

/** The assets that pass; by relevance if something was typed, else by group and key. */
export function filterAssets(
  all: readonly AssetSummary[],
  filter: AssetFilter,
  stateOf: StateOf,
): AssetSummary[] {
  const passing = all.filter(
    (asset) =>
      (filter.group === '' || asset.group === filter.group) &&
      (filter.kind === '' || kindsOf(asset).includes(filter.kind)) &&
      (filter.owner === '' || asset.owners.includes(filter.owner)) &&
      (filter.tag === '' || tagsOf(asset).includes(filter.tag)) &&
      (filter.state === '' || matchesState(asset, filter.state, stateOf)),
  );
  if (filter.q.trim() === '') return passing.sort(byGroupAndKey);
  const scored: { asset: AssetSummary; score: number }[] = [];
  for (const asset of passing) {
    const score = fuzzyScore(filter.q, textOf(asset));
    if (score !== null) scored.push({ asset, score });
  }
  return scored
    .sort((a, b) => b.score - a.score || byGroupAndKey(a.asset, b.asset))
    .map(({ asset }) => asset);
}

export function matchesState(asset: AssetSummary, state: string, stateOf: StateOf): boolean {
  if (state === 'held') return asset.held;
  const own = stateOf(asset);
  if (state === 'active') return own === 'running' || own === 'queued';
  return own === state;
}

export function kindsOf({ kinds, tool }: Pick<AssetSummary, 'kinds' | 'tool'>): string[] {
  return tool === null || kinds.includes(tool) ? kinds : [tool, ...kinds];
}

export function tagsOf({ tags }: Pick<AssetSummary, 'tags'>): string[] {
  return Object.entries(tags).map(([name, value]) => `${name}: ${value}`);
}

function textOf(asset: AssetSummary): string {
  const known = texts.get(asset);
  if (known !== undefined) return known;
  const text =
    `${asset.key} ${asset.group} ${asset.owners.join(' ')} ${asset.kinds.join(' ')} ${asset.pipeline}`.toLowerCase();
  texts.set(asset, text);
  return text;
}

function byGroupAndKey(a: AssetSummary, b: AssetSummary): number {
  return compare(a.group, b.group) || compare(a.key, b.key);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

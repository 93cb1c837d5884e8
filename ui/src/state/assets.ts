import { signal } from '@preact/signals';
import type { AssetState, AssetSummary } from '../../../src/server/contract/asset.ts';
import type { StreamChange } from '../../../src/server/contract/instance.ts';
import { get, getAll, segment } from '../api/client.ts';
import { selectionOf } from '../lib/selection.ts';
import { concernsAssets } from './concerns.ts';
import { resource } from './resource.ts';

/** Above this many changed assets the whole list is cheaper than a selection. */
const MAX_PARTIAL = 40;

/** All assets, by key. After an event only those that it names are fetched. */
export const assets = resource<AssetSummary[]>('/assets', concernsAssets, async (previous, changes) => {
  const keys = changes === null ? null : changedKeys(changes);
  if (previous === undefined || keys === null) return getAll<AssetSummary>('/assets');
  if (keys.size === 0) return previous;
  const path = `/assets?limit=1000&selection=${segment(selectionOf([...keys]))}`;
  const { items } = await get<{ items: AssetSummary[] }>(path);
  const fresh = new Map(items.map((asset) => [asset.key, asset]));
  forgetQueued(keys);
  return previous.map((asset) => fresh.get(asset.key) ?? asset);
});

/** Null: more than some assets have changed, or the set of assets itself. */
function changedKeys(changes: readonly StreamChange[]): Set<string> | null {
  const keys = new Set<string>();
  for (const change of changes) {
    if (change.asset_keys.length === 0) return null;
    for (const key of change.asset_keys) keys.add(key);
  }
  if (keys.size > MAX_PARTIAL) return null;
  return changes.some(({ type }) => type === 'revision_applied' || type === 'definitions_published')
    ? null
    : keys;
}

/** Launched from this page and not yet in the service's answer: shown as queued within the same frame. */
const queuedHere = signal<ReadonlySet<string>>(new Set());

export function markQueued(keys: readonly string[]): () => void {
  queuedHere.value = new Set([...queuedHere.peek(), ...keys]);
  return () => forgetQueued(new Set(keys));
}

function forgetQueued(keys: ReadonlySet<string>): void {
  const left = [...queuedHere.peek()].filter((key) => !keys.has(key));
  if (left.length !== queuedHere.peek().size) queuedHere.value = new Set(left);
}

/** The state to show for an asset. */
export function shownState(asset: { readonly key: string; readonly state: AssetState }): AssetState {
  return queuedHere.value.has(asset.key) && asset.state !== 'running' ? 'queued' : asset.state;
}

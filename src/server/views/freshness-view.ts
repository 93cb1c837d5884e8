import type { AssetNode } from '../../definitions/definitions.ts';
import { freshnessState, policiesOf } from '../../definitions/freshness-state.ts';
import type { Store } from '../../store/store.ts';
import type { AssetFreshness, AssetFreshnessDetail } from '../contract/asset.ts';
import { timestampOrNull, type ViewContext } from './view-context.ts';

/** Null: the asset has no policy, or its pipeline is switched off. */
export function freshnessView(
  context: ViewContext,
  { freshness, enabled }: Pick<AssetNode, 'freshness' | 'enabled'>,
  lastUpdate: number | null,
): AssetFreshness | null {
  if (freshness === undefined || !enabled) return null;
  const found = freshnessState(freshness, lastUpdate, context.now);
  return {
    state: found.state,
    severity: found.severity,
    last_update: timestampOrNull(found.lastUpdate),
    deadline: timestampOrNull(found.deadline),
    fresh_until: timestampOrNull(found.freshUntil),
    stale_since: timestampOrNull(found.staleSince),
    message: found.message,
  };
}

/** With what the policy says. */
export function freshnessDetail(
  node: Pick<AssetNode, 'freshness'>,
  view: AssetFreshness | null,
): AssetFreshnessDetail | null {
  const policy = node.freshness;
  if (view === null || policy === undefined) return null;
  return {
    ...view,
    lower_bound_delta_seconds: policy.lowerBoundDeltaSeconds,
    deadline_cron: policy.deadlineCron ?? null,
    timezone: policy.timezone,
  };
}

export interface FreshnessOfAsset {
  readonly assetKey: string;
  readonly view: AssetFreshness;
}

/** Of every asset that has a policy, in one read of the store for all of them. */
export async function freshnessOfAll(store: Store, context: ViewContext): Promise<FreshnessOfAsset[]> {
  const policies = policiesOf(context.definitions);
  const updates = await store.assets.lastUpdates([...policies.keys()]);
  return [...policies].flatMap(([assetKey, freshness]) => {
    const view = freshnessView(context, { freshness, enabled: true }, updates.get(assetKey) ?? null);
    return view === null ? [] : [{ assetKey, view }];
  });
}

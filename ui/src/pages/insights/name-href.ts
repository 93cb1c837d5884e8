import type { InsightsItem, InsightsReport } from '../../../../src/server/contract/insights.ts';
import { assetHref } from '../../router.ts';

/** Where an item leads: an asset to its page, a group or an owner to its assets' share of this page. */
export function nameHref(by: InsightsReport['by'], { name }: Pick<InsightsItem, 'name'>): string {
  if (by === 'asset') return assetHref(name);
  return `/insights?by=asset&${by}=${encodeURIComponent(name)}`;
}

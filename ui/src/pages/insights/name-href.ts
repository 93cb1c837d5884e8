import type { InsightsItem, InsightsReport } from '../../../../src/server/contract/insights.ts';
import { assetHref, query } from '../../router.ts';

const KEPT = ['days', 'metric', 'group', 'owner'] as const;

/**
 * Where an item leads: an asset to its page, a group or an owner to its assets' share of what is looked at here; null: an
 * asset that is not there any more has no page.
 */
export function nameHref(by: InsightsReport['by'], { name, current }: InsightsItem): string | null {
  if (by === 'asset') return current ? assetHref(name) : null;
  const address = new URLSearchParams({ by: 'asset' });
  for (const kept of KEPT) if (query(kept) !== '') address.set(kept, query(kept));
  address.set(by, name);
  return `/insights?${address}`;
}

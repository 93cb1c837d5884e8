import type { InsightsItem, InsightsReport } from '../../../../src/server/contract/insights.ts';
import { nameHref } from './name-href.ts';

export function ItemName({
  by,
  item,
  kind,
}: {
  by: InsightsReport['by'];
  item: InsightsItem;
  kind: 'clip' | 'row-link';
}) {
  const href = nameHref(by, item);
  const name = <bdi>{item.name}</bdi>;
  if (href === null) {
    return (
      <span class={kind === 'clip' ? 'clip' : undefined} title="Not in the repository any more">
        {name}
      </span>
    );
  }
  return (
    <a class={kind} href={href}>
      {name}
    </a>
  );
}

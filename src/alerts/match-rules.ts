import type { AlertEvent, DefinedRule } from '../definitions/alerts.ts';
import type { Definitions } from '../definitions/definitions.ts';
import { selectAssets } from '../definitions/selection.ts';
import type { AlertItem } from './alert-item.ts';

/** These concern everything of a component, whatever a rule selects. */
const OF_ALL: ReadonlySet<AlertEvent> = new Set(['sync_failed', 'sync_recovered']);

/** Which rules of a set of definitions an item is for. Selections are evaluated once. */
export interface RuleMatcher {
  readonly rulesFor: (item: AlertItem) => readonly DefinedRule[];
  readonly matches: (rule: DefinedRule, item: AlertItem) => boolean;
}

export function createRuleMatcher({ assets, alerts }: Pick<Definitions, 'assets' | 'alerts'>): RuleMatcher {
  const selections = new Map<string, ReadonlySet<string>>();

  function selected(text: string): ReadonlySet<string> {
    const known = selections.get(text);
    if (known !== undefined) return known;
    const found = selectAssets(assets, text);
    const keys = new Set(found.ok ? found.keys : []);
    selections.set(text, keys);
    return keys;
  }

  function matches(rule: DefinedRule, item: AlertItem): boolean {
    if (!rule.enabled || !rule.on.includes(item.event)) return false;
    if (rule.severity === 'ERROR' && item.severity !== 'ERROR') return false;
    if (rule.select === null || OF_ALL.has(item.event)) return item.components.includes(rule.component);
    const keys = selected(rule.select);
    return item.assetKeys.some((key) => keys.has(key) && assets.nodes.get(key)?.component === rule.component);
  }

  return {
    matches,
    rulesFor: (item) => [...alerts.rules.values()].filter((rule) => matches(rule, item)),
  };
}

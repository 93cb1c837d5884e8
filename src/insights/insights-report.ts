import type { CostRates } from '../definitions/cost-rates.ts';
import { addCounts, type DurationCounts, percentile } from './durations.ts';
import { costOf, type Measures, NOTHING, plus, successRate } from './measures.ts';

export type InsightsBy = 'asset' | 'group' | 'owner';

/** Of one asset in the days that are looked at, and in as many before them. */
export interface AssetMeasures {
  readonly assetKey: string;
  readonly now: Measures;
  readonly before: Measures;
  readonly durations: DurationCounts;
}

/** Of the assets of one component on one UTC day, counted from 1970-01-01. */
export interface DayMeasures {
  readonly day: number;
  /** Null: of assets that are not in the definitions any more. */
  readonly component: string | null;
  readonly measures: Measures;
}

/** What the current definitions say of an asset. */
export interface AssetFacts {
  readonly group: string;
  readonly owners: readonly string[];
  readonly component: string;
}

export interface Costed {
  readonly measures: Measures;
  /** Null: no rates are set, or rates in several currencies. */
  readonly cost: number | null;
}

export interface InsightsItem extends Costed {
  readonly name: string;
  /** Assets that it sums. */
  readonly assets: number;
  /** The asset, group or owner is in the definitions of today. */
  readonly current: boolean;
  readonly before: Costed;
  readonly successRate: number | null;
  /** Seconds of successful attempts, to within 4.5 %; null of none. */
  readonly p50: number | null;
  readonly p95: number | null;
}

export interface InsightsReport {
  /** Null: none is set, or several. */
  readonly currency: string | null;
  readonly total: Costed & { readonly before: Costed; readonly successRate: number | null };
  readonly days: readonly (Costed & { readonly day: number })[];
  /** By name. */
  readonly items: readonly InsightsItem[];
}

export interface InsightsInput {
  readonly by: InsightsBy;
  readonly fromDay: number;
  /** Not included. */
  readonly toDay: number;
  readonly assets: readonly AssetMeasures[];
  readonly days: readonly DayMeasures[];
  readonly factsOf: (assetKey: string) => AssetFacts | undefined;
  /** Of a component; undefined: it sets none. */
  readonly ratesOf: (component: string) => CostRates | undefined;
}

/** What stands where an asset has no owner, or is not in the definitions any more. */
const NO_OWNER = '(no owner)';
const REMOVED = '(removed)';

interface Sum {
  assets: number;
  current: boolean;
  now: Measures;
  before: Measures;
  cost: number;
  costBefore: number;
  readonly durations: Map<number, number>;
}

/** Pure: sums by asset, group or owner. An asset with two owners counts for each of them, once in the total. */
export function insightsReport(input: InsightsInput): InsightsReport {
  const { by, assets, factsOf, ratesOf } = input;
  const currency = commonCurrency(input);
  const priced = (component: string | null, measures: Measures): number => {
    const rates = component === null ? undefined : ratesOf(component);
    return costOf(measures, rates ?? null) ?? 0;
  };
  const costed = (measures: Measures, cost: number): Costed => ({
    measures,
    cost: currency === null ? null : cost,
  });
  const sums = new Map<string, Sum>();
  const total = newSum();
  for (const asset of assets) {
    const facts = factsOf(asset.assetKey);
    const cost = priced(facts?.component ?? null, asset.now);
    const costBefore = priced(facts?.component ?? null, asset.before);
    add(total, asset, cost, costBefore, facts !== undefined);
    for (const name of namesOf(by, asset.assetKey, facts)) {
      let sum = sums.get(name);
      if (sum === undefined) sums.set(name, (sum = newSum()));
      add(sum, asset, cost, costBefore, facts !== undefined);
    }
  }
  const items = [...sums].map(([name, sum]) => ({
    name,
    assets: sum.assets,
    current: sum.current,
    ...costed(sum.now, sum.cost),
    before: costed(sum.before, sum.costBefore),
    successRate: successRate(sum.now),
    p50: percentile(sum.durations, 0.5),
    p95: percentile(sum.durations, 0.95),
  }));
  return {
    currency,
    total: {
      ...costed(total.now, total.cost),
      before: costed(total.before, total.costBefore),
      successRate: successRate(total.now),
    },
    days: daysOf(input, priced, costed),
    items: items.sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

function daysOf(
  { days, fromDay, toDay }: InsightsInput,
  priced: (component: string | null, measures: Measures) => number,
  costed: (measures: Measures, cost: number) => Costed,
): InsightsReport['days'] {
  const byDay = new Map<number, { measures: Measures; cost: number }>();
  for (const { day, component, measures } of days) {
    const sum = byDay.get(day) ?? { measures: NOTHING, cost: 0 };
    byDay.set(day, {
      measures: plus(sum.measures, measures),
      cost: sum.cost + priced(component, measures),
    });
  }
  // A day on which nothing was done is a zero, not a gap.
  return Array.from({ length: toDay - fromDay }, (_, index) => {
    const { measures, cost } = byDay.get(fromDay + index) ?? { measures: NOTHING, cost: 0 };
    return { day: fromDay + index, ...costed(measures, cost) };
  });
}

/** The names of the items that an asset is summed under. */
export function namesOf(by: InsightsBy, assetKey: string, facts: AssetFacts | undefined): readonly string[] {
  if (by === 'asset') return [assetKey];
  if (facts === undefined) return [REMOVED];
  if (by === 'group') return [facts.group];
  return facts.owners.length === 0 ? [NO_OWNER] : facts.owners;
}

/** Sums of different currencies would be no amount of anything. */
function commonCurrency({ assets, factsOf, ratesOf }: InsightsInput): string | null {
  const found = new Set<string>();
  for (const { assetKey } of assets) {
    const component = factsOf(assetKey)?.component;
    const rates = component === undefined ? undefined : ratesOf(component);
    if (rates !== undefined) found.add(rates.currency);
  }
  const [only] = found;
  return found.size === 1 ? (only ?? null) : null;
}

function newSum(): Sum {
  return {
    assets: 0,
    current: false,
    now: NOTHING,
    before: NOTHING,
    cost: 0,
    costBefore: 0,
    durations: new Map(),
  };
}

function add(sum: Sum, asset: AssetMeasures, cost: number, costBefore: number, current: boolean): void {
  sum.assets += 1;
  sum.current ||= current;
  sum.now = plus(sum.now, asset.now);
  sum.before = plus(sum.before, asset.before);
  sum.cost += cost;
  sum.costBefore += costBefore;
  addCounts(sum.durations, asset.durations);
}

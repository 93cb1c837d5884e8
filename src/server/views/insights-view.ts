import {
  type AssetFacts,
  type AssetMeasures,
  type Costed,
  type DayMeasures,
  insightsReport,
  namesOf,
  type InsightsReport as Report,
} from '../../insights/insights-report.ts';
import { NOTHING, successRate } from '../../insights/measures.ts';
import type { AppDeps } from '../app-deps.ts';
import type { InsightsMeasures, InsightsQuery, InsightsReport } from '../contract/insights.ts';

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 30;

export interface Insights {
  readonly by: InsightsReport['by'];
  readonly fromDay: number;
  readonly toDay: number;
  readonly report: Report;
}

/** What runs did in the last days and in as many before them; the log is taken in first. */
export async function readInsights(
  { store, components, clock }: Pick<AppDeps, 'store' | 'components' | 'clock'>,
  { days = DEFAULT_DAYS, by = 'group', ...filter }: InsightsQuery,
): Promise<Insights> {
  await store.insights.catchUp();
  const toDay = Math.floor(clock.now() / DAY_MS) + 1;
  const fromDay = toDay - days;
  const { nodes } = components.definitions().assets;
  const factsOf = (key: string): AssetFacts | undefined => nodes.get(key);
  const isWanted = (key: string): boolean => matches(key, factsOf(key), filter);
  const [current, earlier, durations] = await Promise.all([
    store.insights.sums({ fromDay, toDay }),
    store.insights.sums({ fromDay: fromDay - days, toDay: fromDay }),
    store.insights.durations({ fromDay, toDay }),
  ]);
  const assets: AssetMeasures[] = [...new Set([...current.keys(), ...earlier.keys()])]
    .filter(isWanted)
    .map((assetKey) => ({
      assetKey,
      now: current.get(assetKey) ?? NOTHING,
      before: earlier.get(assetKey) ?? NOTHING,
      durations: durations.get(assetKey) ?? new Map(),
    }));
  const ofComponents = Map.groupBy(assets, ({ assetKey }) => factsOf(assetKey)?.component ?? null);
  const byDay: DayMeasures[] = [];
  for (const [component, own] of ofComponents) {
    const keys = own.map(({ assetKey }) => assetKey);
    for (const [day, measures] of await store.insights.byDay({ fromDay, toDay }, keys)) {
      byDay.push({ day, component, measures });
    }
  }
  const rates = new Map(
    components.components().map(({ name, snapshot }) => [name, snapshot?.instance.costRates]),
  );
  const ratesOf = (component: string) => rates.get(component);
  return {
    by,
    fromDay,
    toDay,
    report: insightsReport({ by, fromDay, toDay, assets, days: byDay, factsOf, ratesOf }),
  };
}

export function insightsView({ by, fromDay, toDay, report }: Insights): InsightsReport {
  const { currency, total, days, items } = report;
  return {
    by,
    from: dateOf(fromDay),
    to: dateOf(toDay - 1),
    currency,
    total: { now: measuresView(total), before: measuresView(total.before) },
    days: days.map(({ day, ...costed }) => ({ day: dateOf(day), now: measuresView(costed) })),
    items: items.map(({ name, assets, current, before, p50, p95, ...now }) => ({
      name,
      assets,
      current,
      now: measuresView(now),
      before: measuresView(before),
      p50_seconds: p50,
      p95_seconds: p95,
    })),
  };
}

function measuresView({ measures, cost }: Costed): InsightsMeasures {
  const { seconds, scheduled, delay, longestDelay, ...counts } = measures;
  const isScheduled = scheduled > 0;
  return {
    ...counts,
    compute_seconds: seconds,
    scheduled_runs: scheduled,
    mean_delay_seconds: isScheduled ? delay / scheduled : null,
    longest_delay_seconds: isScheduled ? longestDelay : null,
    success_rate: successRate(measures),
    cost,
  };
}

function matches(
  assetKey: string,
  facts: AssetFacts | undefined,
  { group, owner, component }: Pick<InsightsQuery, 'group' | 'owner' | 'component'>,
): boolean {
  return (
    (group === undefined || namesOf('group', assetKey, facts).includes(group)) &&
    (owner === undefined || namesOf('owner', assetKey, facts).includes(owner)) &&
    (component === undefined || facts?.component === component)
  );
}

function dateOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

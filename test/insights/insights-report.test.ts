import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketOf, percentile, secondsOf } from '../../src/insights/durations.ts';
import { insightsCsv } from '../../src/insights/insights-csv.ts';
import {
  type AssetFacts,
  type AssetMeasures,
  type InsightsInput,
  insightsReport,
} from '../../src/insights/insights-report.ts';
import { costOf, NOTHING } from '../../src/insights/measures.ts';

const RATES = { currency: 'EUR', computeHour: 0.36, gigabyte: 2, millionRows: 1 };

describe('durations', () => {
  it('are known to within 4.5 %', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 1e6, noNaN: true }), (seconds) => {
        const shown = secondsOf(bucketOf(seconds));
        expect(Math.abs(shown / seconds - 1)).toBeLessThan(0.0451);
      }),
    );
  });

  it('have the percentile that a sorted list has, by nearest rank', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.001, max: 1e4, noNaN: true }), { minLength: 1, maxLength: 60 }),
        fc.constantFrom(0.5, 0.95, 1),
        (all, p) => {
          const counts = new Map<number, number>();
          for (const one of all) counts.set(bucketOf(one), (counts.get(bucketOf(one)) ?? 0) + 1);
          const exact = all.toSorted((a, b) => a - b)[Math.max(1, Math.ceil(p * all.length)) - 1]!;
          expect(percentile(counts, p)).toBe(secondsOf(bucketOf(exact)));
        },
      ),
    );
  });

  it('of nothing have none', () => {
    expect(percentile(new Map(), 0.5)).toBeNull();
  });
});

const FACTS: Readonly<Record<string, AssetFacts>> = {
  a: { group: 'shop', owners: ['ada@x.org', 'team:core'], component: 'main' },
  b: { group: 'shop', owners: [], component: 'main' },
  c: { group: 'crm', owners: ['ada@x.org'], component: 'free' },
};

function of(
  assetKey: string,
  rows: number,
  seconds: number,
  more: Partial<AssetMeasures> = {},
): AssetMeasures {
  return {
    assetKey,
    now: { ...NOTHING, materializations: 1, rows, seconds, succeeded: 1 },
    before: NOTHING,
    durations: new Map([[bucketOf(seconds), 1]]),
    ...more,
  };
}

function report(input: Partial<InsightsInput>) {
  return insightsReport({
    by: 'asset',
    fromDay: 10,
    toDay: 12,
    assets: [of('a', 2e6, 3600), of('b', 1e6, 1800), of('c', 5, 1), of('gone', 7, 1)],
    days: [{ day: 11, component: 'main', measures: { ...NOTHING, rows: 1e6, seconds: 3600 } }],
    factsOf: (key) => FACTS[key],
    ratesOf: (component) => (component === 'main' ? RATES : undefined),
    ...input,
  });
}

describe('a report', () => {
  it('sums by group, by owner, and by asset; what is gone too', () => {
    const shape = (by: InsightsInput['by']) =>
      report({ by }).items.map(({ name, assets, measures, current }) => [
        name,
        assets,
        measures.rows,
        current,
      ]);
    expect(shape('group')).toEqual([
      ['(removed)', 1, 7, false],
      ['crm', 1, 5, true],
      ['shop', 2, 3e6, true],
    ]);
    expect(shape('owner')).toEqual([
      ['(no owner)', 1, 1e6, true],
      ['(removed)', 1, 7, false],
      ['ada@x.org', 2, 2e6 + 5, true],
      ['team:core', 1, 2e6, true],
    ]);
    expect(shape('asset').map(([name]) => name)).toEqual(['a', 'b', 'c', 'gone']);
    expect(report({ by: 'owner' }).total.measures.rows).toBe(3e6 + 12);
  });

  it('costs by the rates of the component that an asset is of', () => {
    expect(costOf({ ...NOTHING, seconds: 3600, bytes: 5e8, rows: 2e6 }, RATES)).toBeCloseTo(0.36 + 1 + 2);
    const { items, total, currency, days } = report({ by: 'group' });
    expect(currency).toBe('EUR');
    expect(items.map(({ cost }) => cost)).toEqual([0, 0, expect.closeTo(0.54 + 3)]);
    expect(total.cost).toBeCloseTo(3.54);
    expect(days.map(({ day, cost }) => [day, cost])).toEqual([
      [10, 0],
      [11, expect.closeTo(1.36)],
    ]);
  });

  it('costs the same by day as in all, whatever was removed meanwhile', () => {
    const { total, days } = report({
      assets: [of('a', 2e6, 3600), of('gone', 7e6, 60)],
      days: [
        { day: 10, component: 'main', measures: { ...NOTHING, rows: 2e6, seconds: 3600 } },
        { day: 11, component: null, measures: { ...NOTHING, rows: 7e6, seconds: 60 } },
      ],
    });
    expect(days.map(({ measures }) => measures.rows)).toEqual([2e6, 7e6]);
    expect(days.reduce((sum, { cost }) => sum + cost!, 0)).toBeCloseTo(total.cost!);
  });

  it('names no cost without rates, nor of two currencies', () => {
    expect(report({ ratesOf: () => undefined })).toMatchObject({ currency: null, total: { cost: null } });
    const two = report({
      ratesOf: (component) => ({ ...RATES, currency: component === 'main' ? 'EUR' : 'USD' }),
    });
    expect(two).toMatchObject({ currency: null, total: { cost: null } });
  });

  it('is a table that a spreadsheet takes as text', () => {
    const csv = insightsCsv(
      report({
        by: 'asset',
        assets: [of('=cmd()', 1, 2), of('with, "comma"', 3, 4)],
        factsOf: () => undefined,
      }),
    );
    expect(csv.split('\r\n').slice(1)).toEqual([
      "'=cmd(),1,1,1,0,2,1,0,0,0,1,2.048,2.048,0,,,,",
      '"with, ""comma""",1,1,3,0,4,1,0,0,0,1,4.096,4.096,0,,,,',
      '',
    ]);
  });
});

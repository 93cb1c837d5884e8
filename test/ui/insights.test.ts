import { describe, expect, it } from 'vitest';
import type { InsightsItem, InsightsMeasures } from '../../src/server/contract/insights.ts';
import { changeOf, METRICS, money, movers, percent } from '../../ui/src/pages/insights/metrics.ts';

const NOTHING: InsightsMeasures = {
  materializations: 0,
  rows: 0,
  bytes: 0,
  compute_seconds: 0,
  succeeded: 0,
  failed: 0,
  canceled: 0,
  retries: 0,
  scheduled_runs: 0,
  mean_delay_seconds: null,
  longest_delay_seconds: null,
  success_rate: null,
  cost: null,
};
const ROWS = METRICS.find(({ value }) => value === 'rows')!;
const SUCCESS = METRICS.find(({ value }) => value === 'success')!;

function item(name: string, now: number, before: number): InsightsItem {
  return {
    name,
    assets: 1,
    current: true,
    now: { ...NOTHING, rows: now },
    before: { ...NOTHING, rows: before },
    p50_seconds: null,
    p95_seconds: null,
  };
}

describe('numbers of Insights', () => {
  it.each([
    [0, '0 %'],
    [0.5, '50 %'],
    [0.9871, '98.7 %'],
    [0.99996, '99.99 %'],
    [1, '100 %'],
  ])('shows the share %d as %s: nothing but all is 100 %%', (share, text) => {
    expect(percent(share)).toBe(text);
  });

  it('shows small amounts of money with more digits', () => {
    expect([0, 0.0042, 12.345, 1234].map(money)).toEqual(['0.00', '0.0042', '12.35', '1,234.00']);
  });

  it('tells how far something moved, and whether that is good', () => {
    const change = (now: number, before: number) =>
      changeOf(ROWS, { ...NOTHING, rows: now }, { ...NOTHING, rows: before });
    expect(change(3, 2)).toMatchObject({ text: '+50 %', good: null });
    expect(change(1, 2)).toMatchObject({ text: '−50 %' });
    expect(change(1, 0)).toMatchObject({ text: 'new' });
    expect(change(2, 2)).toBeNull();
    const [worse, better] = [0.5, 0.75].map((rate) => ({ ...NOTHING, success_rate: rate }));
    expect(changeOf(SUCCESS, better!, worse!)).toMatchObject({ text: '+25.0 points', good: true });
    expect(changeOf(SUCCESS, better!, NOTHING)).toBeNull();
  });

  it('puts what moved furthest first', () => {
    const items = [item('a', 10, 9), item('still', 5, 5), item('b', 0, 100)];
    expect(movers(items, ROWS, 5).map(({ name }) => name)).toEqual(['b', 'a']);
    expect(movers(items, ROWS, 1)).toHaveLength(1);
  });
});

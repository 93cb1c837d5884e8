import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TimelineBar, TimelineMark } from '../../src/server/contract/timeline.ts';
import { evenRows, wrappedRows } from '../../ui/src/pages/run/log-rows.ts';
import { barItems, columnItems, countsOf, itemAt, tickItems } from '../../ui/src/pages/timeline/items.ts';
import { flagsOf } from '../../ui/src/pages/timeline/marks.ts';
import { axisTicks, between, moved, spanOf, zoomed } from '../../ui/src/pages/timeline/scale.ts';

const NOON = Date.UTC(2026, 0, 20, 12);
const HOUR = 3_600_000;
const DAY = { from: NOON - 24 * HOUR, to: NOON };

function bar(start: number, end: number | null, id = String(start)): TimelineBar {
  return {
    run_id: id,
    status: end === null ? 'running' : 'succeeded',
    created_at: new Date(start).toISOString(),
    started_at: new Date(start).toISOString(),
    ended_at: end === null ? null : new Date(end).toISOString(),
    assets: 1,
    cause: '',
    partition: null,
  };
}

function mark(at: number, revision: number): TimelineMark {
  return {
    revision_id: revision,
    component: 'shop',
    kind: 'sync',
    commit: String(revision).repeat(40),
    at: new Date(at).toISOString(),
    subject: '',
    author: '',
    summary: { added: 0, changed: 0, removed: 0 },
    restores: null,
  };
}

describe('the axis of time', () => {
  it('shows a range and a quarter of it ahead', () => {
    expect(spanOf('24h', NOON)).toEqual({ from: NOON - 24 * HOUR, to: NOON + 6 * HOUR });
  });

  it('zooms about a moment that stays where it is, and not below a minute', () => {
    expect(zoomed(DAY, 0.5, NOON - 6 * HOUR)).toEqual({ from: NOON - 15 * HOUR, to: NOON - 3 * HOUR });
    const least = zoomed({ from: NOON, to: NOON + 90_000 }, 0.01);
    expect(least.to - least.from).toBe(60_000);
    expect(between({ from: NOON, to: NOON + 5 })).toEqual({ from: NOON, to: NOON + 60_000 });
    expect(moved(DAY, 0.5)).toEqual({ from: NOON - 12 * HOUR, to: NOON + 12 * HOUR });
  });

  it('has marks that do not touch, whatever is shown and however wide', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 60_000, max: 31 * 24 * HOUR }),
        fc.integer({ min: 240, max: 2_000 }),
        (length, width) => {
          const span = { from: NOON - length, to: NOON };
          const places = axisTicks(span, width).map(({ at }) => ((at - span.from) / length) * width);
          for (const [index, place] of places.entries()) {
            expect(place).toBeGreaterThan(0);
            expect(place).toBeLessThan(width);
            if (index > 0) expect(place - places[index - 1]!).toBeGreaterThan(60);
          }
        },
      ),
    );
  });
});

describe('what lies in a lane', () => {
  it('puts runs that overlap on tracks of their own, and those after each other on one', () => {
    const bars = [
      bar(NOON - 9 * HOUR, NOON - 5 * HOUR),
      bar(NOON - 7 * HOUR, NOON - 6 * HOUR),
      bar(NOON - 2 * HOUR, null),
    ];
    const { items, tracks } = barItems(bars, DAY, NOON);
    expect(items.map(({ track }) => track)).toEqual([0, 1, 0]);
    expect(tracks).toBe(2);
    // It goes on: to now, which is the right edge here.
    expect(items[2]!.left + items[2]!.width).toBeCloseTo(100);
  });

  it('counts what is in view and nothing else', () => {
    const failed = { ...bar(NOON - 3 * HOUR, NOON - 2 * HOUR), status: 'failed' as const };
    const before = bar(NOON - 30 * HOUR, NOON - 25 * HOUR);
    expect(countsOf(barItems([before, failed, bar(NOON - HOUR, null)], DAY, NOON).items)).toEqual({
      runs: 2,
      failed: 1,
    });
    const counts = { succeeded: 5, failed: 2, active: 1, other: 1 };
    const columns = [0, 2, 3].map((at) => ({ at, ...counts }));
    const inView = columnItems(columns, DAY, { from: DAY.from - 2 * HOUR, seconds: 3600 });
    expect(countsOf(inView)).toEqual({ runs: 18, failed: 4 });
    expect(countsOf([])).toEqual({ runs: 0, failed: 0 });
  });

  it('leaves out what is not shown, and cuts what reaches in', () => {
    const bars = [bar(NOON - 30 * HOUR, NOON - 25 * HOUR), bar(NOON - 30 * HOUR, NOON - 12 * HOUR)];
    const { items } = barItems(bars, DAY, NOON);
    expect(items.map(({ left, width }) => [left, Math.round(width)])).toEqual([[0, 50]]);
    expect(
      tickItems([{ at: new Date(NOON - HOUR).toISOString(), schedule: 's', others: 0 }], DAY, NOON),
    ).toEqual([]);
    const counts = { at: 3, succeeded: 1, failed: 0, active: 0, other: 0 };
    const [column] = columnItems([counts], DAY, { from: DAY.from, seconds: 3_600 });
    expect([column!.left, column!.width].map(Math.round)).toEqual([13, 4]);
  });

  it('finds what somebody points at, also a little beside it', () => {
    const { items } = barItems([bar(NOON - 12 * HOUR, NOON - 12 * HOUR + 1)], DAY, NOON);
    expect(itemAt(items, 49.5, 1)).toBe(items[0]);
    expect(itemAt(items, 48, 1)).toBeNull();
  });

  it('joins flags that would cover each other, at the newest', () => {
    const marks = [mark(NOON - 20 * HOUR, 1), mark(NOON - HOUR - 60_000, 2), mark(NOON - HOUR, 3)];
    const flags = flagsOf(marks, DAY, 1_000);
    expect(flags.map((flag) => flag.marks.map(({ revision_id }) => revision_id))).toEqual([[2, 3], [1]]);
    expect(flags[0]!.left).toBeCloseTo((23 / 24) * 100);
  });
});

describe('rows of a log', () => {
  const line = (text: string) => ({ line: 1, at: '', stream: 'stdout' as const, text });

  it('finds the row at a height, wrapped or not', () => {
    const texts = fc.array(fc.string({ maxLength: 400 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(texts, fc.integer({ min: 100, max: 900 }), fc.boolean(), (all, width, wrap) => {
        const rows = wrap ? wrappedRows(all.map(line), null, all.length, width) : evenRows(all.length);
        for (let row = 0; row < all.length; row += 1) {
          expect(rows.at(rows.top(row))).toBe(row);
          expect(rows.at(rows.top(row + 1) - 1)).toBe(row);
        }
        expect(rows.height).toBe(rows.top(all.length));
      }),
    );
  });

  it('counts no colour codes, and wide letters twice', () => {
    const width = 10 * 7.25;
    const heights = [`\u001b[31m${'x'.repeat(10)}\u001b[0m`, 'x'.repeat(11), '漢'.repeat(6)].map(
      (text) => wrappedRows([line(text)], null, 1, width).height,
    );
    expect(heights).toEqual([19, 38, 38]);
  });
});

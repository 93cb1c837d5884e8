import type { TimelineBar, TimelineLane, TimelineTick } from '../../../../src/server/contract/timeline.ts';
import { clock, duration, exact, plural } from '../../lib/format.ts';
import type { Shown } from '../../lib/status.ts';
import { percent, type Span } from './scale.ts';

/** Something to point at in a lane. */
export type Item =
  | {
      readonly kind: 'run';
      readonly bar: TimelineBar;
      readonly left: number;
      readonly width: number;
      readonly track: number;
    }
  | { readonly kind: 'tick'; readonly tick: TimelineTick; readonly left: number }
  | {
      readonly kind: 'column';
      readonly from: number;
      readonly to: number;
      readonly left: number;
      readonly width: number;
      readonly counts: NonNullable<TimelineLane['columns']>[number];
    };

const BARS: Readonly<Record<TimelineBar['status'], Shown>> = {
  queued: { tone: 'wait', text: 'Queued' },
  running: { tone: 'run', text: 'Running' },
  succeeded: { tone: 'ok', text: 'Succeeded' },
  failed: { tone: 'bad', text: 'Failed' },
  canceled: { tone: 'idle', text: 'Canceled' },
  skipped: { tone: 'idle', text: 'Skipped' },
};

export function barShown({ status }: TimelineBar): Shown {
  return BARS[status];
}

/** Runs side by side that overlap; the most lines that a lane grows to. */
const MOST_TRACKS = 4;
/** Per cent of the width that a bar takes at least. */
const LEAST_WIDTH = 0.4;

/** Bars of a lane by their place; those that overlap lie on tracks below each other. */
export function barItems(
  bars: readonly TimelineBar[],
  span: Span,
  now: number,
): { readonly items: readonly Extract<Item, { kind: 'run' }>[]; readonly tracks: number } {
  const ends: number[] = [];
  const items = bars.flatMap((bar) => {
    const begin = Date.parse(bar.started_at ?? bar.created_at);
    const left = percent(span, begin);
    const right = percent(span, bar.ended_at === null ? now : Date.parse(bar.ended_at));
    if (left > 100 || right < 0) return [];
    const from = Math.max(0, left);
    const width = Math.max(LEAST_WIDTH, Math.min(100, right) - from);
    const free = ends.findIndex((end) => end <= from);
    const track = free !== -1 ? free : Math.min(ends.length, MOST_TRACKS - 1);
    ends[track] = Math.max(ends[track] ?? 0, from + width + 0.1);
    return [{ kind: 'run' as const, bar, left: from, width, track }];
  });
  return { items, tracks: Math.max(1, ends.length) };
}

export function tickItems(
  ticks: readonly TimelineTick[],
  span: Span,
  now: number,
): Extract<Item, { kind: 'tick' }>[] {
  return ticks.flatMap((tick) => {
    const at = Date.parse(tick.at);
    const left = percent(span, at);
    return at < now || left > 100 ? [] : [{ kind: 'tick' as const, tick, left }];
  });
}

export function columnItems(
  columns: NonNullable<TimelineLane['columns']>,
  span: Span,
  of: { readonly from: number; readonly seconds: number },
): Extract<Item, { kind: 'column' }>[] {
  return columns.flatMap((counts) => {
    const from = of.from + counts.at * of.seconds * 1_000;
    const to = from + of.seconds * 1_000;
    const left = percent(span, from);
    const width = percent(span, to) - left;
    return left > 100 || left + width < 0 ? [] : [{ kind: 'column' as const, from, to, left, width, counts }];
  });
}

/** What of a lane is in view: the answer has a little more on both sides. */
export function countsOf(items: readonly Exclude<Item, { kind: 'tick' }>[]): {
  readonly runs: number;
  readonly failed: number;
} {
  let [runs, failed] = [0, 0];
  for (const item of items) {
    if (item.kind === 'run') {
      runs += 1;
      failed += item.bar.status === 'failed' ? 1 : 0;
    } else {
      const { counts } = item;
      runs += counts.succeeded + counts.failed + counts.active + counts.other;
      failed += counts.failed;
    }
  }
  return { runs, failed };
}

/** Newest of what lies nearest to a place, if it is near. */
export function itemAt(items: readonly Item[], place: number, near: number): Item | null {
  let found: Item | null = null;
  let best = near;
  for (const item of items) {
    const right = item.left + (item.kind === 'tick' ? 0 : item.width);
    const distance = Math.max(0, item.left - place, place - right);
    if (distance <= best) [found, best] = [item, distance];
  }
  return found;
}

/** For the card under the pointer, and for whoever hears it. */
export function itemLines(
  item: Item,
  now: number,
): { readonly title: string; readonly lines: readonly string[] } {
  if (item.kind === 'tick') {
    const { schedule, others, at } = item.tick;
    return {
      title: `Planned: ${schedule}${others === 0 ? '' : ` and ${others} more`}`,
      lines: [exact(Date.parse(at))],
    };
  }
  if (item.kind === 'column') {
    const { succeeded, failed, active, other } = item.counts;
    const parts = [
      [succeeded, 'succeeded'],
      [failed, 'failed'],
      [active, 'active'],
      [other, 'canceled or skipped'],
    ] as const;
    return {
      title: plural(succeeded + failed + active + other, 'run'),
      lines: [
        parts
          .filter(([number]) => number > 0)
          .map(([number, word]) => `${number} ${word}`)
          .join(', '),
        `${clock(item.from)} to ${clock(item.to)}`,
        'Click to look closer',
      ],
    };
  }
  const { bar } = item;
  const begun = bar.started_at === null ? null : Date.parse(bar.started_at);
  const end = bar.ended_at === null ? now : Date.parse(bar.ended_at);
  const waited = begun === null ? 0 : (begun - Date.parse(bar.created_at)) / 1_000;
  const took = begun === null ? null : duration(Math.max(0, end - begun) / 1_000);
  return {
    title: `${barShown(bar).text}${took === null ? '' : bar.ended_at === null ? ` for ${took}` : ` in ${took}`}`,
    lines: [
      [bar.partition, bar.assets > 1 ? plural(bar.assets, 'asset') : null]
        .filter((one) => one !== null)
        .join(' · '),
      causeWords(bar.cause),
      exact(begun ?? Date.parse(bar.created_at)),
      waited >= 1 ? `waited ${duration(waited)} before` : '',
    ].filter((line) => line !== ''),
  };
}

/** Ids are for addresses. */
export function causeWords(cause: string): string {
  return cause.replace(/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{4}([\da-f]{8})/g, '$1');
}

import { clock } from '../../lib/format.ts';
import type { Stretch } from '../../lib/stretch.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export type RangeName = '1h' | '6h' | '24h' | '7d';
export const RANGES: Readonly<Record<RangeName, number>> = {
  '1h': HOUR,
  '6h': 6 * HOUR,
  '24h': DAY,
  '7d': 7 * DAY,
};
/** Of a range, shown of the time to come. */
const AHEAD = 0.25;
const SHORTEST = MINUTE;
const LONGEST = 31 * DAY;

/** What is shown. */
export type Span = Stretch;

/** A range ends a little after now, and moves with it. */
export function spanOf(range: RangeName, now: number): Span {
  return { from: now - RANGES[range], to: now + RANGES[range] * AHEAD };
}

/** Per cent of the width; outside of 0 to 100 what is not shown. */
export function percent({ from, to }: Span, at: number): number {
  return ((at - from) / (to - from)) * 100;
}

export function zoomed({ from, to }: Span, factor: number, around = (from + to) / 2): Span {
  const length = Math.max(SHORTEST, Math.min(LONGEST, (to - from) * factor));
  const share = (around - from) / (to - from);
  return whole({ from: around - length * share, to: around + length * (1 - share) });
}

export function moved({ from, to }: Span, share: number): Span {
  return whole({ from: from + (to - from) * share, to: to + (to - from) * share });
}

/** Of a drag: not shorter than what can be told apart. */
export function between({ from, to }: Span): Span {
  return whole({ from, to: Math.max(from + SHORTEST, to) });
}

/** Whole seconds, for the address. */
function whole({ from, to }: Span): Span {
  return { from: Math.round(from / 1_000) * 1_000, to: Math.round(to / 1_000) * 1_000 };
}

const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 7, 14].map((days) => days * DAY),
];

/** Round moments of the reader's clock, at least 76 pixels apart. */
export function axisTicks(
  { from, to }: Span,
  width: number,
): { readonly at: number; readonly text: string }[] {
  const most = Math.max(2, Math.floor(width / 76));
  const step = STEPS.find((one) => (to - from) / one <= most) ?? 14 * DAY;
  const start = new Date(from);
  start.setHours(0, 0, 0, 0);
  const ticks: { at: number; text: string }[] = [];
  // By the calendar, not by adding: a day of 23 hours has its noon at noon.
  for (let index = 0; ; index += 1) {
    const at = new Date(start);
    if (step >= DAY) at.setDate(at.getDate() + index * (step / DAY));
    else at.setMinutes(index * (step / MINUTE));
    if (at.getTime() >= to) return ticks;
    if (at.getTime() <= from) continue;
    const midnight = at.getHours() === 0 && at.getMinutes() === 0;
    ticks.push({ at: at.getTime(), text: midnight ? dayText(at) : clock(at.getTime()) });
  }
}

const DAYS = new Intl.DateTimeFormat('en', { month: 'short', day: 'numeric' });

function dayText(at: Date): string {
  return DAYS.format(at);
}

import { DAY, firstDayOfMonth, MINUTE, monthOf } from './civil.ts';
import type { ParsedCron } from './cron/local-ticks.ts';
import { dayMask, upperBound } from './cron/local-ticks.ts';
import { lastTickAtOrBefore, tickSpanAt } from './cron.ts';
import type { Instant } from './instant.ts';

/**
 * Ticks of one cron in one zone, numbered from a first tick = 0, without listing them. Kept are blocks: the part of
 * a calendar month that one UTC offset covers. A block's ticks are the set bits of its day mask × the cron's times,
 * so that both directions (number → instant, instant → number) cost a binary search and some bit counting.
 * 100,000 hourly ticks take some 160 blocks. Grows to the right as it is asked.
 */
export interface TickIndex {
  readonly cron: ParsedCron;
  readonly timezone: string;
  readonly first: Instant;
  readonly blocks: Block[];
  /** Every tick before this instant is in a block. */
  coveredTo: Instant;
  total: number;
}

interface Block {
  readonly start: Instant;
  /** Number of the block's first tick. */
  readonly before: number;
  readonly offset: number;
  readonly monthDay: number;
  /** Day bits of the month; 0 = the single tick after a gap, at `start`. */
  readonly mask: number;
  /** Ticks of the month that lie before the block. */
  readonly skipped: number;
  readonly localTo: number;
}

/** An index whose tick 0 is `first`, which has to be a tick. */
export function createTickIndex(cron: ParsedCron, timezone: string, first: Instant): TickIndex {
  return { cron, timezone, first, blocks: [], coveredTo: first, total: 0 };
}

/**
 * The number of the last tick at or before an instant. Negative before the first tick: -1 is the tick just before
 * it. -Infinity where the cron has no tick that early.
 */
export function ordinalAtOrBefore(index: TickIndex, instant: Instant): number {
  if (instant < index.first) return ordinalBeforeFirst(index, instant);
  cover(index, instant);
  const { blocks } = index;
  let low = 0;
  let high = blocks.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((blocks[middle] as Block).start <= instant) low = middle;
    else high = middle - 1;
  }
  const block = blocks[low] as Block;
  if (block.mask === 0) return block.before;
  const local = Math.min(instant + block.offset, block.localTo - 1);
  return block.before + ticksUpTo(index.cron, block.mask, block.monthDay, local) - block.skipped - 1;
}

/** The number of the first tick at or after an instant. */
export function ordinalAtOrAfter(index: TickIndex, instant: Instant): number {
  const ordinal = ordinalAtOrBefore(index, instant);
  return ordinal >= 0 && tickAt(index, ordinal) === instant
    ? ordinal
    : ordinalAtOrBefore(index, instant - 1) + 1;
}

/** The instant of a tick. Negative numbers walk back tick by tick. NaN where the cron has no such tick. */
export function tickAt(index: TickIndex, ordinal: number): Instant {
  if (ordinal < 0) return tickBeforeFirst(index, ordinal);
  while (ordinal >= index.total) {
    const reached = index.coveredTo;
    cover(index, reached + 370 * DAY);
    if (index.coveredTo === reached) return Number.NaN;
  }
  const { blocks, cron } = index;
  let low = 0;
  let high = blocks.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((blocks[middle] as Block).before <= ordinal) low = middle;
    else high = middle - 1;
  }
  const block = blocks[low] as Block;
  if (block.mask === 0) return block.start;
  const rank = ordinal - block.before + block.skipped;
  const perDay = cron.times.length;
  const day = block.monthDay + nthBit(block.mask, Math.floor(rank / perDay));
  return day * DAY + (cron.times[rank % perDay] as number) * MINUTE - block.offset;
}

function cover(index: TickIndex, instant: Instant): void {
  const { cron, timezone } = index;
  while (index.coveredTo <= instant) {
    const at = index.coveredTo;
    const { segment, localFrom, localTo, gapTick } = tickSpanAt(cron, timezone, at);
    const { offset } = segment;
    if (gapTick && at === segment.from) {
      index.blocks.push({
        start: at,
        before: index.total,
        offset,
        monthDay: 0,
        mask: 0,
        skipped: 0,
        localTo: 0,
      });
      index.total += 1;
    }
    const from = Math.max(at + offset, localFrom);
    if (from >= localTo) {
      index.coveredTo = segment.to;
      continue;
    }
    const month = monthOf(Math.floor(from / DAY));
    const to = Math.min(firstDayOfMonth(month + 1) * DAY, localTo);
    addBlock(index, month, from, to, offset);
    index.coveredTo = to === localTo ? segment.to : to - offset;
  }
}

function addBlock(index: TickIndex, month: number, from: number, to: number, offset: number): void {
  const mask = dayMask(index.cron, month);
  if (mask === 0) return;
  const monthDay = firstDayOfMonth(month);
  const skipped = ticksUpTo(index.cron, mask, monthDay, from - 1);
  const count = ticksUpTo(index.cron, mask, monthDay, to - 1) - skipped;
  if (count === 0) return;
  const before = index.total;
  index.total += count;
  index.blocks.push({ start: from - offset, before, offset, monthDay, mask, skipped, localTo: to });
}

/** Ticks of a month at or before a local time. */
function ticksUpTo(cron: ParsedCron, mask: number, monthDay: number, local: number): number {
  const day = Math.floor(local / DAY);
  const index = day - monthDay;
  if (index < 0) return 0;
  if (index >= 31) return countBits(mask) * cron.times.length;
  const earlierDays = countBits(mask & ((1 << index) - 1)) * cron.times.length;
  if (((mask >>> index) & 1) === 0) return earlierDays;
  return earlierDays + upperBound(cron.times, (local - day * DAY) / MINUTE);
}

function ordinalBeforeFirst(index: TickIndex, instant: Instant): number {
  const anchor = lastTickAtOrBefore(index.cron, index.timezone, instant);
  if (anchor === null) return Number.NEGATIVE_INFINITY;
  return -ordinalAtOrBefore(createTickIndex(index.cron, index.timezone, anchor), index.first);
}

function tickBeforeFirst(index: TickIndex, ordinal: number): Instant {
  let at: Instant | null = index.first;
  for (let left = -ordinal; left > 0 && at !== null; left--) {
    at = lastTickAtOrBefore(index.cron, index.timezone, at - 1);
  }
  return at ?? Number.NaN;
}

function countBits(bits: number): number {
  let value = bits - ((bits >>> 1) & 0x55555555);
  value = (value & 0x33333333) + ((value >>> 2) & 0x33333333);
  return (((value + (value >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}

/** Position of the nth (from 0) set bit. */
function nthBit(bits: number, nth: number): number {
  let rest = bits;
  for (let left = nth; left > 0; left--) rest &= rest - 1;
  return 31 - Math.clz32(rest & -rest);
}

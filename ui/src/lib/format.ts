import type { PartitionSelection } from '../../../src/server/contract/common.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `just now`, `4 min ago`, `in 2 h`, `3 d ago`; a date when it is long ago. */
export function relative(at: number, now: number): string {
  const distance = Math.abs(now - at);
  if (distance < 10 * SECOND) return at > now ? 'in a moment' : 'just now';
  if (distance > 30 * DAY) return new Date(at).toISOString().slice(0, 10);
  const text =
    distance < MINUTE
      ? `${Math.round(distance / SECOND)} s`
      : distance < HOUR
        ? `${Math.round(distance / MINUTE)} min`
        : distance < 2 * DAY
          ? `${Math.round(distance / HOUR)} h`
          : `${Math.round(distance / DAY)} d`;
  return at > now ? `in ${text}` : `${text} ago`;
}

/** `2026-11-21 08:30:12 Europe/Vienna`: the reader's zone unless another one is given. */
export function exact(at: number, timeZone?: string): string {
  const zone = timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  return `${inZone(at, zone, true)} ${zone}`;
}

/** `2026-11-21 08:30`, with seconds if asked. */
export function inZone(at: number, timeZone: string, seconds = false): string {
  const options: Intl.DateTimeFormatOptions = {
    timeZone,
    dateStyle: 'short',
    timeStyle: seconds ? 'medium' : 'short',
  };
  try {
    // Sweden writes ISO 8601.
    return new Intl.DateTimeFormat('sv-SE', options).format(at);
  } catch {
    return new Date(at).toISOString().slice(0, 16).replace('T', ' ');
  }
}

/** `8:30` or `08:30:12` of the reader's zone. */
export function clock(at: number, seconds = false): string {
  const options: Intl.DateTimeFormatOptions = { timeStyle: seconds ? 'medium' : 'short' };
  return new Intl.DateTimeFormat('sv-SE', options).format(at);
}

/** `42ms`, `0.4s`, `19s`, `1m 19s`, `2h 05m`, `3d 4h`. */
export function duration(seconds: number): string {
  if (seconds <= 0) return '0s';
  if (seconds < 0.1) return `${Math.max(1, Math.round(seconds * 1000))}ms`;
  if (seconds < 10) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)}m ${pad(whole % 60)}s`;
  if (whole < 86_400) return `${Math.floor(whole / 3_600)}h ${pad(Math.floor(whole / 60) % 60)}m`;
  return `${Math.floor(whole / 86_400)}d ${Math.floor(whole / 3_600) % 24}h`;
}

/** `1,204`, `12.4 k`, `3.1 M`. */
export function count(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size < 10_000) return trim(value, Number.isInteger(value) ? 0 : 2);
  const [divisor, unit] = size < 1e6 ? [1e3, 'k'] : size < 1e9 ? [1e6, 'M'] : [1e9, 'G'];
  return `${trim(value / divisor, 1)} ${unit}`;
}

/** `378/s`, `4.2/s`. */
export function rate(perSecond: number): string {
  return perSecond < 10_000 ? `${trim(perSecond, perSecond < 100 ? 1 : 0)}/s` : `${count(perSecond)}/s`;
}

/** Decimal units, as disks and networks count: `142 kB`. */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let scaled = value;
  let unit = 0;
  while (Math.abs(scaled) >= 1_000 && unit < units.length - 1) {
    scaled /= 1_000;
    unit += 1;
  }
  return `${trim(scaled, scaled < 10 && unit > 0 ? 1 : 0)} ${units[unit]}`;
}

export function plural(number: number, noun: string, many = `${noun}s`): string {
  return `${count(number)} ${number === 1 ? noun : many}`;
}

/** A message as a sentence of its own: it begins with a capital. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function shortSha(commit: string): string {
  return commit.slice(0, 7);
}

/** A digest as far as it is told apart by eye, without the name of its hash. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12);
}

/** `2026-01-31`, `2026-01-01 … 2026-01-31`, `3 partitions`; null for none. */
export function partitionText(selection: PartitionSelection): string | null {
  switch (selection.kind) {
    case 'none':
      return null;
    case 'key':
      return selection.key;
    case 'range':
      return selection.start === selection.end ? selection.start : `${selection.start} … ${selection.end}`;
    case 'keys':
      return selection.keys.length === 1
        ? (selection.keys[0] ?? null)
        : plural(selection.keys.length, 'partition');
  }
}

/** `orders`, `orders and stores`, `orders and 4 more`. */
export function listText(names: readonly string[]): string {
  if (names.length === 0) return 'nothing';
  if (names.length <= 2) return names.join(' and ');
  return `${names[0]} and ${names.length - 1} more`;
}

function trim(value: number, digits: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}

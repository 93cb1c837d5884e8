import type { CivilTime } from './civil.ts';
import {
  civilTime,
  DAY,
  dayOf,
  dayOfIsoWeek,
  daysInMonth,
  HOUR,
  isoWeekOf,
  MINUTE,
  mod,
  SECOND,
  weekdayOf,
} from './civil.ts';

/** A strftime pattern, ready to write and to read keys. */
export interface CompiledFormat {
  readonly pattern: string;
  /** `%z` is in it: a key names its instant by itself. */
  readonly hasOffset: boolean;
  /** The year can be told from a key. */
  readonly hasYear: boolean;
  /** Writes local milliseconds; `offset` in milliseconds is for `%z`. */
  format(local: number, offset: number): string;
  /** Reads a key; null when it does not match, or names no date (30 February). */
  parse(text: string): ParsedTime | null;
}

/** Local milliseconds, and the UTC offset in milliseconds when the text gives one. */
export interface ParsedTime {
  readonly local: number;
  readonly offset: number | null;
}

/** A compiled pattern, or what is wrong with it. */
export type FormatResult =
  | { readonly ok: true; readonly format: CompiledFormat }
  | { readonly ok: false; readonly message: string; readonly hint?: string };

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const short = (name: string): string => name.slice(0, 3);

interface Directive {
  readonly pattern: string;
  write(time: CivilTime, local: number, offset: number): string;
}

/** What Python's strptime reads, in the C locale; `%c %x %X %Z` depend on locale or zone names and are left out. */
const DIRECTIVES: Readonly<Record<string, Directive>> = {
  Y: { pattern: '\\d{4}', write: (t) => pad(t.year, 4) },
  y: { pattern: '\\d{2}', write: (t) => pad(mod(t.year, 100), 2) },
  m: { pattern: '1[0-2]|0[1-9]|[1-9]', write: (t) => pad(t.month, 2) },
  d: { pattern: '3[01]|[12]\\d|0[1-9]|[1-9]', write: (t) => pad(t.day, 2) },
  H: { pattern: '2[0-3]|[01]\\d|\\d', write: (t) => pad(t.hour, 2) },
  I: { pattern: '1[0-2]|0[1-9]|[1-9]', write: (t) => pad(mod(t.hour + 11, 12) + 1, 2) },
  M: { pattern: '[0-5]\\d|\\d', write: (t) => pad(t.minute, 2) },
  S: { pattern: '[0-5]\\d|\\d', write: (t) => pad(t.second, 2) },
  f: { pattern: '\\d{1,6}', write: (t) => pad(t.millisecond * 1000, 6) },
  j: {
    pattern: '36[0-6]|3[0-5]\\d|[12]\\d\\d|0[1-9]\\d|00[1-9]|[1-9]\\d|[1-9]',
    write: (t) => pad(t.dayOfYear, 3),
  },
  p: { pattern: 'am|pm', write: (t) => (t.hour < 12 ? 'AM' : 'PM') },
  b: { pattern: MONTHS.map(short).join('|'), write: (t) => short(MONTHS[t.month - 1] as string) },
  B: { pattern: MONTHS.join('|'), write: (t) => MONTHS[t.month - 1] as string },
  a: { pattern: WEEKDAYS.map(short).join('|'), write: (t) => short(WEEKDAYS[t.weekday] as string) },
  A: { pattern: WEEKDAYS.join('|'), write: (t) => WEEKDAYS[t.weekday] as string },
  w: { pattern: '[0-6]', write: (t) => String(t.weekday) },
  u: { pattern: '[1-7]', write: (t) => String(t.weekday === 0 ? 7 : t.weekday) },
  G: { pattern: '\\d{4}', write: (_, local) => pad(isoWeekOf(Math.floor(local / DAY)).isoYear, 4) },
  V: {
    pattern: '5[0-3]|0[1-9]|[1-4]\\d|\\d',
    write: (_, local) => pad(isoWeekOf(Math.floor(local / DAY)).week, 2),
  },
  U: { pattern: '5[0-3]|[0-4]\\d|\\d', write: (t) => pad(weekOfYear(t, t.weekday), 2) },
  W: { pattern: '5[0-3]|[0-4]\\d|\\d', write: (t) => pad(weekOfYear(t, mod(t.weekday - 1, 7)), 2) },
  z: { pattern: '[+-]\\d{2}:?[0-5]\\d|Z', write: (_t, _local, offset) => offsetText(offset) },
};

const compiled = new Map<string, FormatResult>();

/** Compiles a strftime pattern. Never throws. */
export function compileFormat(pattern: string): FormatResult {
  let result = compiled.get(pattern);
  if (result === undefined) {
    result = compile(pattern);
    if (compiled.size >= 1000) compiled.clear();
    compiled.set(pattern, result);
  }
  return result;
}

/** `+0530` for an offset in milliseconds. */
export function offsetText(offset: number): string {
  const minutes = Math.round(Math.abs(offset) / MINUTE);
  return `${offset < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60), 2)}${pad(minutes % 60, 2)}`;
}

function compile(pattern: string): FormatResult {
  const writers: (string | Directive)[] = [];
  const letters: string[] = [];
  let source = '';
  for (const [piece, letter] of pattern.matchAll(/%([\s\S]?)|[^%]+/g)) {
    if (letter === undefined || letter === '%') {
      const text = letter === '%' ? '%' : piece;
      writers.push(text);
      source += text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&').replace(/\s+/g, '\\s+');
      continue;
    }
    const directive = DIRECTIVES[letter];
    if (directive === undefined) return unknownDirective(piece);
    if (letters.includes(letter)) return { ok: false, message: `fmt "${pattern}" has %${letter} twice` };
    letters.push(letter);
    writers.push(directive);
    source += `(${directive.pattern})`;
  }
  const fault = combinationFault(letters);
  if (fault !== null) return { ok: false, message: `fmt "${pattern}": ${fault}` };
  const regex = new RegExp(`^${source}$`, 'i');
  return {
    ok: true,
    format: {
      pattern,
      hasOffset: letters.includes('z'),
      hasYear: letters.some((letter) => letter === 'Y' || letter === 'y' || letter === 'G'),
      format: (local, offset) => write(writers, local, offset),
      parse: (text) => read(regex, letters, text),
    },
  };
}

function unknownDirective(piece: string): FormatResult {
  const message = `fmt has "${piece}", which cannot be read back`;
  const hints: Readonly<Record<string, string>> = {
    '%F': 'Write %Y-%m-%d.',
    '%T': 'Write %H:%M:%S.',
    '%Z': 'Use %z.',
  };
  const hint = hints[piece] ?? (piece === '%' ? 'A percent sign is %%.' : undefined);
  return hint === undefined ? { ok: false, message } : { ok: false, message, hint };
}

/** Rules of Python's strptime for week dates. */
function combinationFault(letters: readonly string[]): string | null {
  const has = (letter: string): boolean => letters.includes(letter);
  const weekday = has('u') || has('w') || has('a') || has('A');
  if (has('G') && !(has('V') && weekday)) return '%G needs %V and a weekday (%u)';
  if (has('V') && !has('G')) return '%V needs %G and a weekday (%u)';
  if (has('G') && has('j')) return '%G does not go with %j';
  return null;
}

function write(writers: readonly (string | Directive)[], local: number, offset: number): string {
  const time = civilTime(local);
  let text = '';
  for (const writer of writers) {
    text += typeof writer === 'string' ? writer : writer.write(time, local, offset);
  }
  return text;
}

function read(regex: RegExp, letters: readonly string[], text: string): ParsedTime | null {
  const match = regex.exec(text);
  if (match === null) return null;
  const fields: Record<string, string> = {};
  for (const [index, letter] of letters.entries()) {
    fields[letter] = match[index + 1] as string;
  }
  const day = dayFrom(fields);
  if (day === null) return null;
  const local =
    day * DAY +
    hourFrom(fields) * HOUR +
    Number(fields.M ?? 0) * MINUTE +
    Number(fields.S ?? 0) * SECOND +
    (fields.f === undefined ? 0 : Math.floor(Number(fields.f.padEnd(6, '0')) / 1000));
  return { local, offset: fields.z === undefined ? null : offsetFrom(fields.z) };
}

function dayFrom(fields: Readonly<Record<string, string>>): number | null {
  const weekday = weekdayFrom(fields);
  if (fields.G !== undefined) {
    const isoYear = Number(fields.G);
    const day = dayOfIsoWeek(isoYear, Number(fields.V), weekday === 0 ? 7 : (weekday ?? 1));
    return isoWeekOf(day).isoYear === isoYear ? day : null;
  }
  const year = yearFrom(fields);
  if (fields.j !== undefined) {
    const day = dayOf(year, 1, 1) + Number(fields.j) - 1;
    return day < dayOf(year + 1, 1, 1) ? day : null;
  }
  if (weekday !== null && (fields.U !== undefined || fields.W !== undefined)) {
    const monday = fields.U === undefined;
    const january1 = dayOf(year, 1, 1);
    const first = monday ? mod(weekdayOf(january1) - 1, 7) : weekdayOf(january1);
    const within = monday ? mod(weekday - 1, 7) : weekday;
    return january1 + Number(fields.U ?? fields.W) * 7 - (first === 0 ? 7 : first) + within;
  }
  const month = monthFrom(fields);
  const dayOfMonth = Number(fields.d ?? 1);
  if (dayOfMonth > daysInMonth(year * 12 + month - 1)) return null;
  return dayOf(year, month, dayOfMonth);
}

function yearFrom(fields: Readonly<Record<string, string>>): number {
  if (fields.Y !== undefined) return Number(fields.Y);
  if (fields.y === undefined) return 1900;
  const two = Number(fields.y);
  return two <= 68 ? 2000 + two : 1900 + two;
}

function monthFrom(fields: Readonly<Record<string, string>>): number {
  if (fields.m !== undefined) return Number(fields.m);
  const name = fields.b ?? fields.B;
  return name === undefined ? 1 : indexOfName(MONTHS, name) + 1;
}

function weekdayFrom(fields: Readonly<Record<string, string>>): number | null {
  if (fields.u !== undefined) return Number(fields.u) % 7;
  if (fields.w !== undefined) return Number(fields.w);
  const name = fields.a ?? fields.A;
  return name === undefined ? null : indexOfName(WEEKDAYS, name);
}

function hourFrom(fields: Readonly<Record<string, string>>): number {
  if (fields.H !== undefined) return Number(fields.H);
  if (fields.I === undefined) return 0;
  const pm = fields.p?.toLowerCase() === 'pm';
  return (Number(fields.I) % 12) + (pm ? 12 : 0);
}

function offsetFrom(text: string): number {
  if (text.toUpperCase() === 'Z') return 0;
  const digits = text.slice(1).replace(':', '');
  const size = Number(digits.slice(0, 2)) * HOUR + Number(digits.slice(2, 4)) * MINUTE;
  return text.startsWith('-') ? -size : size;
}

function indexOfName(names: readonly string[], name: string): number {
  return names.findIndex((known) => known.slice(0, 3).toLowerCase() === name.slice(0, 3).toLowerCase());
}

function weekOfYear(time: CivilTime, weekdayIndex: number): number {
  return Math.floor((time.dayOfYear + 6 - weekdayIndex) / 7);
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

import { mod } from '../civil.ts';

/** What one cron field allows: `values` ascending; `star` = written exactly `*`. */
export interface CronField {
  readonly star: boolean;
  readonly values: readonly number[];
}

/** Day of the month: numbers, and `L` for the last day. */
export interface DayOfMonthField extends CronField {
  readonly last: boolean;
}

/** Day of the week: 0 = Sunday; `nth` for `1#2` (second Monday), n = -1 for `L1` (last Monday). */
export interface DayOfWeekField extends CronField {
  readonly nth: readonly { readonly weekday: number; readonly n: number }[];
}

interface FieldRules {
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
  /** Value of names[0]. */
  readonly nameBase?: number;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

const MINUTE_RULES: FieldRules = { label: 'minute', min: 0, max: 59 };
const HOUR_RULES: FieldRules = { label: 'hour', min: 0, max: 23 };
const DAY_RULES: FieldRules = { label: 'day of month', min: 1, max: 31 };
const MONTH_RULES: FieldRules = { label: 'month', min: 1, max: 12, names: MONTHS, nameBase: 1 };
const WEEKDAY_RULES: FieldRules = { label: 'day of week', min: 0, max: 7, names: WEEKDAYS, nameBase: 0 };

/** A fault in a cron, thrown inside this folder only; `parseCron` turns it into a value. */
export class CronFault extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

export function parseMinutes(text: string): CronField {
  return parsePlain(text, MINUTE_RULES);
}

export function parseHours(text: string): CronField {
  return parsePlain(text, HOUR_RULES);
}

export function parseMonths(text: string): CronField {
  return parsePlain(text, MONTH_RULES);
}

export function parseDaysOfMonth(text: string): DayOfMonthField {
  const parts = text.toLowerCase().split(',');
  // `20-L` runs to the 31st, which shorter months do not have.
  const plain = parts.filter((part) => part !== 'l').map((part) => part.replace(/-l(?=$|\/)/, '-31'));
  const field = plain.length === 0 ? { values: [] } : parsePlain(plain.join(','), DAY_RULES);
  return { star: text === '*', values: field.values, last: plain.length < parts.length };
}

export function parseDaysOfWeek(text: string): DayOfWeekField {
  const nth: { weekday: number; n: number }[] = [];
  const plain: string[] = [];
  for (const part of text.toLowerCase().split(',')) {
    const hash = /^([a-z]{3}-[a-z]{3}|\w+)#(\d+)$/.exec(part);
    const last = /^l(\d+)$/.exec(part);
    if (hash !== null) {
      const n = Number(hash[2]);
      if (n < 1 || n > 5) {
        throw new CronFault(`"${part}": a month has at most five of one weekday`, 'Use #1 to #5.');
      }
      for (const weekday of parsePart(hash[1] as string, WEEKDAY_RULES))
        nth.push({ weekday: weekday % 7, n });
    } else if (last !== null) {
      nth.push({ weekday: value(last[1] as string, WEEKDAY_RULES) % 7, n: -1 });
    } else {
      plain.push(part);
    }
  }
  if (nth.length > 0 && plain.length > 0) {
    throw new CronFault(
      `"${text}" mixes plain weekdays with "#" or "L"`,
      'Write two crons, or only one of the two forms.',
    );
  }
  if (nth.length > 0) return { star: false, values: [], nth };
  const values = new Set(parsePlain(plain.join(','), WEEKDAY_RULES).values.map((day) => day % 7));
  return { star: text === '*', values: ascending(values), nth };
}

function parsePlain(text: string, rules: FieldRules): CronField {
  const values = new Set<number>();
  for (const part of text.toLowerCase().split(',')) {
    for (const one of parsePart(part, rules)) values.add(one);
  }
  return { star: text === '*', values: ascending(values) };
}

/** One element of a list: `*`, `5`, `1-5`, `22-2`, each with an optional `/step`. */
function parsePart(part: string, rules: FieldRules): number[] {
  const match = /^(?:(\*)|([a-z0-9]+)(?:-([a-z0-9]+))?)(?:\/(\d+))?$/.exec(part);
  if (match === null) throw partFault(part, rules);
  const [, star, low, high, stepText] = match;
  const step = stepText === undefined ? 1 : Number(stepText);
  if (step === 0) throw new CronFault(`"${part}": a step of 0 never moves on`);
  if (star !== undefined) return stepThrough(rules.min, lastOf(rules), step);
  const from = value(low as string, rules);
  if (high === undefined) return stepText === undefined ? [from] : stepThrough(from, lastOf(rules), step);
  const to = value(high, rules);
  if (from <= to) return stepThrough(from, to, step);
  // A range that wraps: 22-2 is 22, 23, 0, 1, 2. Sunday as 7 is the same place as 0.
  const size = lastOf(rules) - rules.min + 1;
  const start = mod(from - rules.min, size);
  const count = mod(to - rules.min, size) - start;
  return stepThrough(start, start + mod(count, size), step).map((at) => (at % size) + rules.min);
}

/** The last value that is not another name for the first: 6 for weekdays, where 7 is Sunday again. */
function lastOf(rules: FieldRules): number {
  return rules === WEEKDAY_RULES ? 6 : rules.max;
}

function stepThrough(from: number, to: number, step: number): number[] {
  const values: number[] = [];
  for (let at = from; at <= to; at += step) values.push(at);
  return values;
}

function value(text: string, rules: FieldRules): number {
  if (/^\d+$/.test(text)) {
    const number = Number(text);
    if (number < rules.min || number > rules.max) {
      throw new CronFault(
        `${text} is not a valid ${rules.label}`,
        `It goes from ${rules.min} to ${rules.max}.`,
      );
    }
    return number;
  }
  const index = rules.names?.indexOf(text) ?? -1;
  if (index < 0) throw partFault(text, rules);
  return index + (rules.nameBase ?? 0);
}

function partFault(part: string, rules: FieldRules): CronFault {
  if (part === '') return new CronFault(`the ${rules.label} field has an empty element`);
  if (part.includes('?')) return new CronFault(`"?" is not known in ${rules.label}`, 'Use "*".');
  if (/^\d+w$/.test(part)) return new CronFault(`"${part}": nearest weekday (W) is not known`);
  if (/^\dl$/.test(part)) {
    return new CronFault(
      `"${part}" is not a valid ${rules.label}`,
      `The last one of a weekday is "L${part[0]}".`,
    );
  }
  const name = rules.names?.find((known) => part.startsWith(known));
  if (name !== undefined) {
    return new CronFault(`"${part}" is not a valid ${rules.label}`, `Names have three letters: "${name}".`);
  }
  return new CronFault(`"${part}" is not a valid ${rules.label}`);
}

function ascending(values: Iterable<number>): number[] {
  return [...values].sort((a, b) => a - b);
}

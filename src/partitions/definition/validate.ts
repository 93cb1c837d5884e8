import { DAY } from '../civil.ts';
import { parseCron } from '../cron.ts';
import type { Instant } from '../instant.ts';
import type { CompiledFormat } from '../strftime.ts';
import { compileFormat } from '../strftime.ts';
import { ordinalAtOrAfter, tickAt } from '../tick-index.ts';
import { isZoneName } from '../zone.ts';
import { KEY_SEPARATOR } from './multi.ts';
import type {
  PartitionsDefinition,
  PartitionsProblem,
  StaticPartitions,
  TimeWindowPartitions,
} from './partitions-definition.ts';
import { keyOfWindowNumber, readInstant, timeWindows, windowNamed } from './time-window.ts';

/** Everything that is wrong with a definition, all at once. Empty = it can be used. */
export function validatePartitions(definition: PartitionsDefinition): PartitionsProblem[] {
  if (definition.kind === 'static') return staticProblems(definition, '');
  if (definition.kind === 'time') return timeProblems(definition, '');
  const problems: PartitionsProblem[] = [];
  const entries = Object.entries(definition.dimensions);
  if (entries.length !== 2) {
    problems.push({
      path: 'dimensions',
      message: `there are ${entries.length} dimensions, exactly 2 are needed`,
    });
  }
  for (const [name, dimension] of entries) {
    const path = `dimensions.${name}.`;
    problems.push(
      ...(dimension.kind === 'static' ? staticProblems(dimension, path) : timeProblems(dimension, path)),
    );
    problems.push(...separatorProblems(dimension, path));
  }
  return problems;
}

function staticProblems(definition: StaticPartitions, path: string): PartitionsProblem[] {
  const problems: PartitionsProblem[] = [];
  const seen = new Map<string, number>();
  for (const [index, key] of definition.keys.entries()) {
    const at = `${path}keys.${index}`;
    const earlier = seen.get(key);
    if (earlier === undefined) seen.set(key, index);
    else
      problems.push({
        path: at,
        message: `key "${key}" is given twice`,
        hint: `It is number ${earlier + 1} too.`,
      });
    if (key.includes('...')) {
      problems.push({
        path: at,
        message: `key "${key}" has "..." in it`,
        hint: '"..." is how a range of keys is written.',
      });
    }
    if (hasControlCharacter(key)) {
      problems.push({ path: at, message: `key ${JSON.stringify(key)} has a control character in it` });
    }
  }
  return problems;
}

function hasControlCharacter(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 32 || code === 127) return true;
  }
  return false;
}

/** Dagster keeps these for keys of two parts and for ranges of them. */
const RESERVED = [KEY_SEPARATOR, '[', ']', ','];

function separatorProblems(
  dimension: TimeWindowPartitions | StaticPartitions,
  path: string,
): PartitionsProblem[] {
  if (dimension.kind === 'time') {
    if (!dimension.fmt.includes(KEY_SEPARATOR)) return [];
    const message = `"${KEY_SEPARATOR}" cannot stand in a dimension's fmt`;
    return [{ path: `${path}fmt`, message, hint: 'It separates the two parts of a key.' }];
  }
  return dimension.keys.flatMap((key, index) => {
    const found = RESERVED.find((text) => key.includes(text));
    if (found === undefined) return [];
    const message = `"${found}" cannot stand in the dimension's key "${key}"`;
    return [
      { path: `${path}keys.${index}`, message, hint: 'Keys of a 2-D set are without | [ ] and commas.' },
    ];
  });
}

function timeProblems(definition: TimeWindowPartitions, path: string): PartitionsProblem[] {
  const problems: PartitionsProblem[] = [];
  const report = (field: string, message: string, hint?: string): void => {
    problems.push(
      hint === undefined ? { path: path + field, message } : { path: path + field, message, hint },
    );
  };
  const cron = parseCron(definition.cron);
  if (!cron.ok) report('cron', cron.message, cron.hint);
  const knownZone = isZoneName(definition.timezone);
  if (!knownZone) {
    report(
      'timezone',
      `"${definition.timezone}" is not a known time zone`,
      'Write an IANA name, such as Europe/Berlin or UTC.',
    );
  }
  if (!Number.isSafeInteger(definition.endOffset))
    report('endOffset', 'the end offset is not a whole number');
  const compiled = compileFormat(definition.fmt);
  if (!compiled.ok) {
    report('fmt', compiled.message, compiled.hint);
    return problems;
  }
  const { format } = compiled;
  const zone = knownZone ? definition.timezone : 'UTC';
  const start = readOrReport('start', definition.start);
  const end = definition.end === null ? null : readOrReport('end', definition.end);
  if (start !== null && end !== null && end < start) {
    report('end', `end "${definition.end}" is before start "${definition.start}"`);
  }
  for (const [index, exclusion] of definition.exclusions.entries()) {
    const asCron = parseCron(exclusion);
    if (asCron.ok || readInstant(format, zone, exclusion) !== null) continue;
    report(
      `exclusions.${index}`,
      `"${exclusion}" is neither a cron nor a time in fmt "${definition.fmt}"`,
      asCron.message,
    );
  }
  if (problems.length === 0) {
    const clash = firstClash(definition, format);
    if (clash !== null) {
      report(
        'fmt',
        `fmt "${definition.fmt}" is too coarse for "${definition.cron}": ${clash}`,
        'Add the missing fields.',
      );
    }
  }
  return problems;

  function readOrReport(field: string, text: string): Instant | null {
    const instant = readInstant(format, zone, text);
    if (instant === null) report(field, `${field} "${text}" does not match fmt "${definition.fmt}"`);
    return instant;
  }
}

/** Far enough for any field that is missing to show; two-digit years may come round again after that. */
const TRIED_YEARS = 30;

/**
 * A window whose key leads to another window. The first hundred windows and those at the turn of each of the next
 * 26 months are tried: whatever a pattern without some field confuses, it confuses there.
 */
function firstClash(definition: TimeWindowPartitions, format: CompiledFormat): string | null {
  if (!format.hasYear) return 'the year is not in it';
  const windows = timeWindows({ ...definition, exclusions: [] });
  const tries: number[] = [];
  const limit = windows.index.first + TRIED_YEARS * 365.25 * DAY;
  for (let window = 0; window < 100 && tickAt(windows.index, window) < limit; window++) tries.push(window);
  for (let month = 1; month <= 26; month++) {
    tries.push(ordinalAtOrAfter(windows.index, windows.index.first + month * 30.5 * DAY));
  }
  for (const window of tries) {
    const key = keyOfWindowNumber(windows, window);
    const named = windowNamed(windows, key);
    if (named !== window) {
      const iso = (at: number): string => new Date(tickAt(windows.index, at)).toISOString().slice(0, 16);
      return `"${key}" stands for the windows at ${iso(named ?? window)}Z and ${iso(window)}Z`;
    }
  }
  return null;
}

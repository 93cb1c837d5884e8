import { defaultFmt } from '../../partitions/definition/default-fmt.ts';
import type {
  PartitionsDefinition,
  PartitionsProblem,
  StaticPartitions,
  TimeWindowPartitions,
} from '../../partitions/definition/partitions-definition.ts';
import { validatePartitions } from '../../partitions/definition/validate.ts';
import type { Position } from '../yaml/yaml-value.ts';
import type { MapReader } from './map-reader.ts';
import { readTimezone } from './schedule.ts';

const KEYS = ['enabled', 'type', 'time', 'static', 'multi'] as const;
const TIME_KEYS = ['start', 'end', 'cron_schedule', 'timezone', 'fmt', 'end_offset', 'exclusions'] as const;
const TIME_SYNONYMS = {
  cron: 'cron_schedule',
  schedule: 'cron_schedule',
  start_date: 'start',
  end_date: 'end',
  tz: 'timezone',
  execution_timezone: 'timezone',
  format: 'fmt',
} as const;
const TYPES = ['time', 'static', 'multi'] as const;

/** Where the parts of a definition stand in the file, by the paths of `PartitionsProblem`. */
type Places = Map<string, { readonly at: Position; readonly path: string }>;

/**
 * The `partitions:` key of a mapping. undefined: the key is absent or wrong (then reported); null: it is there and says
 * that there are none (`enabled: false` or absent, whatever else is said).
 */
export function readPartitions(
  parent: MapReader,
  key = 'partitions',
): PartitionsDefinition | null | undefined {
  const map = parent.section(key, KEYS);
  if (map === undefined) return undefined;
  const enabled = map.boolean('enabled');
  if (enabled === undefined && !map.has('enabled') && map.has('type')) {
    map.reader.warning(
      'CONFIG_VALUE',
      map.at,
      map.path,
      'partitions are described but not enabled, so there are none',
      'add "enabled: true"',
    );
  }
  if (enabled !== true) return map.has('enabled') && enabled === undefined ? undefined : null;
  return readEnabled(map);
}

function readEnabled(map: MapReader): PartitionsDefinition | undefined {
  if (!map.has('type')) {
    map.missing('type', 'partitions need a type', `one of ${TYPES.join(', ')}`);
    return undefined;
  }
  const type = map.oneOf('type', TYPES);
  if (type === undefined) return undefined;
  if (!map.has(type)) {
    const at = map.place('type');
    const message = `partitions of type "${type}" need the key "${type}"`;
    map.reader.error('CONFIG_MISSING_KEY', at, map.pathOf(type), message);
    return undefined;
  }
  const places: Places = new Map();
  const definition = readOfType(map, type, '', places);
  if (definition === undefined) return undefined;
  for (const problem of problemsOf(definition)) report(map, problem, places);
  return definition;
}

/** Many folders are partitioned alike, and trying out a definition takes a hundred windows. */
const judged = new Map<string, readonly PartitionsProblem[]>();
const MOST_JUDGED = 1000;

function problemsOf(definition: PartitionsDefinition): readonly PartitionsProblem[] {
  const key = JSON.stringify(definition);
  let problems = judged.get(key);
  if (problems === undefined) {
    problems = validatePartitions(definition);
    if (judged.size >= MOST_JUDGED) judged.clear();
    judged.set(key, problems);
  }
  return problems;
}

function readOfType(
  map: MapReader,
  type: (typeof TYPES)[number],
  prefix: string,
  places: Places,
): PartitionsDefinition | undefined {
  if (type === 'time') return readTime(map, prefix, places);
  if (type === 'static') return readStatic(map, prefix, places);
  return readMulti(map, places);
}

function readTime(parent: MapReader, prefix: string, places: Places): TimeWindowPartitions | undefined {
  const map = parent.section('time', TIME_KEYS, TIME_SYNONYMS);
  if (map === undefined) return undefined;
  const place = (part: string, key: string): void => {
    places.set(prefix + part, { at: map.place(key), path: map.pathOf(key) });
  };
  for (const key of ['start', 'end', 'timezone', 'fmt'] as const) place(key, key);
  place('cron', 'cron_schedule');
  place('endOffset', 'end_offset');
  const start = map.text('start');
  if (!map.has('start')) map.missing('start', 'time partitions need a start', 'start: "2024-01-01"');
  const cron = map.text('cron_schedule');
  if (!map.has('cron_schedule')) {
    map.missing('cron_schedule', 'time partitions need a cron_schedule', 'daily: cron_schedule: "0 0 * * *"');
  }
  const end = map.text('end');
  const timezone = readTimezone(map, 'timezone', false) ?? 'UTC';
  const fmt = map.text('fmt');
  const endOffset = map.integer('end_offset', { min: -10_000, max: 10_000 });
  const exclusions = map.texts('exclusions') ?? [];
  for (const [index, item] of (map.items('exclusions') ?? []).entries()) {
    places.set(`${prefix}exclusions.${index}`, { at: item, path: `${map.pathOf('exclusions')}[${index}]` });
  }
  if (start === undefined || cron === undefined || (end === undefined && map.has('end'))) return undefined;
  if (fmt === undefined && map.has('fmt')) return undefined;
  return {
    kind: 'time',
    start,
    end: end ?? null,
    cron,
    timezone,
    fmt: fmt ?? defaultFmt(cron),
    endOffset: endOffset ?? 0,
    exclusions,
  };
}

function readStatic(parent: MapReader, prefix: string, places: Places): StaticPartitions | undefined {
  const map = parent.section('static', ['partition_keys'], {
    keys: 'partition_keys',
    values: 'partition_keys',
  });
  if (map === undefined) return undefined;
  if (!map.has('partition_keys')) {
    map.missing(
      'partition_keys',
      'static partitions need partition_keys',
      'partition_keys: [us-east, us-west]',
    );
    return undefined;
  }
  const items = map.items('partition_keys');
  if (items === undefined) return undefined;
  if (items.length === 0) {
    map.error('PARTITION_INVALID', 'partition_keys', 'at least one partition key is needed');
    return undefined;
  }
  const keys = map.texts('partition_keys') ?? [];
  if (keys.length < items.length) return undefined;
  for (const [index, item] of items.entries()) {
    places.set(`${prefix}keys.${index}`, { at: item, path: `${map.pathOf('partition_keys')}[${index}]` });
  }
  return { kind: 'static', keys };
}

function readMulti(parent: MapReader, places: Places): PartitionsDefinition | undefined {
  const map = parent.section('multi', ['dimensions']);
  if (map === undefined) return undefined;
  const dimensions = map.section('dimensions', null);
  if (dimensions === undefined) {
    if (!map.has('dimensions')) map.missing('dimensions', 'multi partitions need two dimensions');
    return undefined;
  }
  places.set('dimensions', { at: dimensions.at, path: dimensions.path });
  const read: Record<string, TimeWindowPartitions | StaticPartitions> = {};
  let complete = true;
  for (const name of dimensions.map.entries.keys()) {
    const dimension = readDimension(dimensions, name, places);
    if (dimension === undefined) complete = false;
    else read[name] = dimension;
  }
  return complete ? { kind: 'multi', dimensions: read } : undefined;
}

function readDimension(
  dimensions: MapReader,
  name: string,
  places: Places,
): TimeWindowPartitions | StaticPartitions | undefined {
  const map = dimensions.section(name, ['type', 'time', 'static']);
  if (map === undefined) {
    if (!dimensions.has(name)) dimensions.missing(name, `the dimension "${name}" needs a type`);
    return undefined;
  }
  // Control characters and the separator would make keys of environment variables and of runs unreadable.
  if (!/^[A-Za-z_][\w-]*$/.test(name)) {
    const hint = 'letters, digits, "_" and "-": it becomes part of ELT_PARTITION_KEY_<DIMENSION>';
    dimensions.reader.error('PARTITION_INVALID', map.at, map.path, `"${name}" cannot name a dimension`, hint);
    return undefined;
  }
  const type = map.oneOf('type', ['time', 'static'] as const);
  if (!map.has('type')) map.missing('type', `the dimension "${name}" needs a type`, 'time or static');
  if (type === undefined) return undefined;
  if (!map.has(type)) {
    map.reader.error('CONFIG_MISSING_KEY', map.place('type'), map.pathOf(type), `"${type}" is missing here`);
    return undefined;
  }
  const prefix = `dimensions.${name}.`;
  return type === 'time' ? readTime(map, prefix, places) : readStatic(map, prefix, places);
}

function report(map: MapReader, problem: PartitionsProblem, places: Places): void {
  const place = places.get(problem.path) ?? { at: map.at, path: map.path };
  const last = problem.path.slice(problem.path.lastIndexOf('.') + 1);
  const code =
    last === 'cron'
      ? 'PARTITION_CRON_INVALID'
      : last === 'timezone'
        ? 'TIMEZONE_INVALID'
        : 'PARTITION_INVALID';
  map.reader.error(code, place.at, place.path, problem.message, problem.hint);
}

/** Whether a set grows with time: the defaults of its schedule lose no window then (semantics.md, Schedules). */
export function isTimePartitioned(definition: PartitionsDefinition | null | undefined): boolean {
  if (definition == null) return false;
  if (definition.kind === 'multi')
    return Object.values(definition.dimensions).some((one) => one.kind === 'time');
  return definition.kind === 'time';
}

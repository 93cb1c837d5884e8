import type { AssetOverride, FreshnessConfig, MetadataEntry } from '../pipeline-config.ts';
import type { YamlValue } from '../yaml/yaml-value.ts';
import { plainValue } from '../yaml/yaml-value.ts';
import { readAutomation } from './automation.ts';
import { type CheckSurroundings, readChecks } from './checks.ts';
import { readDeps } from './deps.ts';
import type { MapReader } from './map-reader.ts';
import { readPartitions } from './partitions.ts';
import { readCron, readTimezone } from './schedule.ts';

/** Keys that hold for a pipeline and can be said again for one asset of it. */
export const ASSET_KEYS = [
  'description',
  'group',
  'group_name',
  'owners',
  'tags',
  'kinds',
  'metadata',
  'deps',
  'code_version',
  'partitions',
  'automation_condition',
  'automation_condition_config',
  'freshness',
  'freshness_lower_bound_delta_seconds',
  'checks',
] as const;

const METADATA_TYPES = ['text', 'url', 'path', 'md', 'json', 'int', 'float', 'bool'] as const;

/** Everything of `ASSET_KEYS` that is there and good; `partitions: null` says that there are none. */
export function readAssetSettings(map: MapReader, surroundings: CheckSurroundings): AssetOverride {
  const automation = readAutomation(map);
  const freshness = readFreshness(map);
  const settings = {
    description: map.text('description'),
    group: readGroup(map),
    owners: readOwners(map),
    tags: readTags(map),
    kinds: map.texts('kinds', { alone: true }),
    metadata: readMetadata(map),
    deps: readDeps(map),
    codeVersion: map.word('code_version'),
    partitions: readPartitions(map),
    automation,
    freshness,
    checks: readChecks(map, surroundings),
  };
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}

function readGroup(map: MapReader): string | undefined {
  const group = map.text('group');
  const alias = map.text('group_name');
  if (group !== undefined && alias !== undefined && group !== alias) {
    map.warning('CONFIG_VALUE', 'group_name', `"group_name" is ignored: "group" says "${group}"`);
  }
  return group ?? alias;
}

/** As Dagster: an e-mail address or `team:<name>`. */
function readOwners(map: MapReader): readonly string[] | undefined {
  const owners = map.texts('owners', { alone: true });
  const value = map.value('owners');
  for (const [index, owner] of (owners ?? []).entries()) {
    if (/^(?:team:\S.*|[^\s@:]+@[^\s@]+)$/.test(owner)) continue;
    const item =
      value?.kind === 'list' ? value.items.find((one) => one.kind === 'scalar' && one.text === owner) : value;
    const path = value?.kind === 'list' ? `${map.pathOf('owners')}[${index}]` : map.pathOf('owners');
    const message = `"${owner}" is neither an e-mail address nor a team`;
    map.reader.error('CONFIG_VALUE', item ?? map.at, path, message, `a team is written "team:${owner}"`);
  }
  return owners;
}

function readTags(map: MapReader): Record<string, string> | undefined {
  return map.textMap('tags');
}

/** A list of entries, or Dagster's own form, a mapping of names to values. */
function readMetadata(map: MapReader): readonly MetadataEntry[] | undefined {
  const value = map.value('metadata');
  if (value?.kind === 'map') {
    return [...value.entries.values()].map((entry) => {
      const plain = plainValue(entry.value) as MetadataEntry['value'];
      return { key: entry.key, value: plain, type: inferredType(plain) };
    });
  }
  return map.items('metadata')?.flatMap((item, index) => {
    const path = `${map.pathOf('metadata')}[${index}]`;
    if (item.kind !== 'map') {
      map.wrongType(item, path, 'a mapping', 'write { key: runbook, value: "https://…", type: url }');
      return [];
    }
    const entry = readMetadataEntry(map.child(item, path, ['key', 'value', 'type']));
    return entry === undefined ? [] : [entry];
  });
}

function readMetadataEntry(map: MapReader): MetadataEntry | undefined {
  const key = map.text('key');
  const value = map.value('value');
  const type = map.oneOf('type', METADATA_TYPES);
  if (!map.has('key')) map.missing('key', 'a metadata entry needs a key');
  if (value === undefined) map.missing('value', 'a metadata entry needs a value');
  if (key === undefined || value === undefined || (type === undefined && map.has('type'))) return undefined;
  const plain = plainValue(value) as MetadataEntry['value'];
  const wanted = type ?? inferredType(plain);
  const fault = metadataFault(wanted, value, plain);
  if (fault !== null) {
    map.error('CONFIG_TYPE', 'value', fault);
    return undefined;
  }
  // Text that looks like a number (`value: 42, type: text`) is what was written.
  const text = value.kind === 'scalar' && typeof plain !== 'string' && TEXT_TYPES.includes(wanted);
  return { key, value: text ? value.text : plain, type: wanted };
}

const TEXT_TYPES: readonly MetadataEntry['type'][] = ['text', 'url', 'path', 'md'];

function inferredType(value: MetadataEntry['value']): MetadataEntry['type'] {
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  if (typeof value === 'string') return /^https?:\/\//.test(value) ? 'url' : 'text';
  return 'json';
}

function metadataFault(type: MetadataEntry['type'], value: YamlValue, plain: unknown): string | null {
  switch (type) {
    case 'int':
      return Number.isSafeInteger(plain) ? null : 'metadata of type int needs a whole number';
    case 'float':
      return typeof plain === 'number' && Number.isFinite(plain)
        ? null
        : 'metadata of type float needs a number';
    case 'bool':
      return typeof plain === 'boolean' ? null : 'metadata of type bool needs true or false';
    case 'json':
      return null;
    case 'url':
      if (value.kind !== 'scalar') return 'metadata of type url needs an address';
      return /^(?:https?|mailto):/i.test(value.text)
        ? null
        : `"${value.text}" is not an http or https address`;
    default:
      return value.kind === 'scalar' ? null : `metadata of type ${type} needs text`;
  }
}

function readFreshness(map: MapReader): FreshnessConfig | undefined {
  const short = map.number('freshness_lower_bound_delta_seconds', { min: 1 });
  const long = map.section(
    'freshness',
    ['lower_bound_delta_seconds', 'deadline_cron', 'timezone', 'severity'],
    { freshness_lower_bound_delta_seconds: 'lower_bound_delta_seconds', cron: 'deadline_cron' },
  );
  if (long === undefined) {
    return short === undefined
      ? undefined
      : { lowerBoundDeltaSeconds: short, timezone: 'UTC', severity: 'WARN' };
  }
  const delta = long.number('lower_bound_delta_seconds', { min: 1 }) ?? short;
  const deadlineCron = readCron(long, 'deadline_cron');
  const timezone = readTimezone(long, 'timezone') ?? 'UTC';
  const severity = long.oneOf('severity', ['WARN', 'ERROR'] as const, true) ?? 'WARN';
  if (delta === undefined) {
    if (!long.has('lower_bound_delta_seconds')) {
      const hint = 'lower_bound_delta_seconds: 86400';
      long.missing('lower_bound_delta_seconds', 'freshness needs to say how old data may be', hint);
    }
    return undefined;
  }
  return {
    lowerBoundDeltaSeconds: delta,
    ...(deadlineCron === undefined ? {} : { deadlineCron }),
    timezone,
    severity,
  };
}

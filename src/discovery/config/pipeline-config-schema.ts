import type {
  AssetOverride,
  BackfillPolicy,
  EnvironmentConfig,
  PipelineConfig,
  Tool,
} from '../pipeline-config.ts';
import { TOOLS } from '../pipeline-config.ts';
import type { YamlValue } from '../yaml/yaml-value.ts';
import { ASSET_KEYS, readAssetSettings } from './asset-settings.ts';
import type { CheckSurroundings } from './checks.ts';
import type { ConfigReader } from './config-reader.ts';
import type { FolderFacts } from './folder-facts.ts';
import { readLimits } from './limits.ts';
import type { MapReader } from './map-reader.ts';
import { openDocument } from './map-reader.ts';
import { isTimePartitioned } from './partitions.ts';
import { readRetryPolicy } from './retry-policy.ts';
import { readSchedule } from './schedule.ts';
import { nearest } from './suggest.ts';
import type { DltDefaults } from './tool-sections.ts';
import { defined, readDbt, readDlt, readFile, readScript, readSling } from './tool-sections.ts';

const KEYS = [
  'enabled',
  'tool',
  ...ASSET_KEYS,
  'moved_from',
  'backfill_policy',
  'schedule',
  'retry_policy',
  'retries',
  'retry_delay',
  'timeout',
  'limits',
  'pools',
  'max_concurrent',
  'environment',
  'env',
  'dlt',
  'sling',
  'dbt',
  'script',
  'assets',
];
const SYNONYMS = {
  partition: 'partitions',
  schedules: 'schedule',
  depends_on: 'deps',
  dependencies: 'deps',
  automation: 'automation_condition',
  owner: 'owners',
  max_retries: 'retries',
} as const;

/** Names that the service gives to a step; a folder cannot set them. */
const RESERVED = /^(?:ELT_|DAGSTER_PIPES_|DLT_INTERVAL_)/;

/** What the folder's other files say. */
export interface FolderReading {
  readonly tool: Tool;
  readonly folder: FolderFacts;
  /** The file that `PipelineConfig.source` names. */
  readonly sourceFile: string;
  readonly dlt?: DltDefaults;
  /** Settings of single assets found in code (`definitions.py`); the file's own `assets:` are laid over them. */
  readonly assets?: Readonly<Record<string, AssetOverride>>;
  readonly replication?: string;
}

/** Opens a `dagster.yaml` (null: the folder has none, or an empty one). null: it is not a mapping, which is reported. */
export function openPipelineFile(reader: ConfigReader, value: YamlValue | null): MapReader | null {
  return openDocument(reader, value, KEYS, SYNONYMS);
}

/** The `tool:` key. */
export function readTool(root: MapReader): Tool | undefined {
  const text = root.text('tool');
  if (text === undefined) return undefined;
  const tool = TOOLS.find((one) => one === text.toLowerCase());
  if (tool !== undefined) return tool;
  const near = nearest(text, TOOLS);
  const hint = near === null ? `one of ${TOOLS.join(', ')}` : `did you mean "${near}"?`;
  root.error('TOOL_UNKNOWN', 'tool', `"${text}" is not a tool`, hint);
  return undefined;
}

/**
 * Validates a whole `dagster.yaml` and fills in every default (docs/spec/dagster-yaml.md). All mistakes go to the
 * reader of `root`; the result is only good if none of them is an error.
 */
export function readPipelineConfig(root: MapReader, reading: FolderReading): PipelineConfig {
  const { tool, folder } = reading;
  const surroundings = { tool, isPartitioned: mentionsPartitions(root.map) };
  const settings = readAssetSettings(root, surroundings);
  const own = readAssets(root, surroundings);
  const sections = readSections(root, reading);
  const schedule = readSchedule(root, isAnyTimePartitioned(settings.partitions, sections.dbt));
  const automation = settings.automation ?? translated(sections.dbt?.translator.automationCondition);
  const timeoutSeconds = root.duration('timeout');
  if (timeoutSeconds === 0) root.error('CONFIG_VALUE', 'timeout', 'a time-out of nothing lets nothing run');
  return {
    name: folder.name,
    tool,
    dir: folder.dir,
    enabled: root.boolean('enabled') ?? true,
    group: settings.group ?? 'default',
    owners: settings.owners ?? [],
    tags: settings.tags ?? {},
    kinds: settings.kinds ?? [],
    metadata: settings.metadata ?? [],
    deps: settings.deps ?? [],
    backfillPolicy: readBackfillPolicy(root),
    checks: settings.checks ?? [],
    pools: root.texts('pools', { alone: true }) ?? [],
    environment: readEnvironment(root, folder),
    env: readEnv(root),
    assets: overlaid(reading.assets ?? {}, own),
    ...defined({
      description: settings.description,
      codeVersion: settings.codeVersion,
      movedFrom: root.text('moved_from'),
      partitions: settings.partitions ?? undefined,
      schedule,
      retryPolicy: readRetryPolicy(root),
      automation,
      freshness: settings.freshness,
      timeoutSeconds,
      limits: readLimits(root),
      maxConcurrent: root.integer('max_concurrent', { min: 1, max: 10_000 }),
    }),
    ...defined(sections),
    source: { file: reading.sourceFile, line: 1, column: 1 },
  };
}

function readSections(
  root: MapReader,
  reading: FolderReading,
): Pick<Partial<PipelineConfig>, 'dlt' | 'sling' | 'dbt' | 'script'> {
  const { tool, folder } = reading;
  for (const other of ['dlt', 'sling', 'dbt', 'script'] as const) {
    const owner = other === 'script' ? 'python' : other;
    if (owner !== tool && root.has(other)) {
      root.warning('CONFIG_VALUE', other, `"${other}" is ignored: this is a ${tool} pipeline`);
    }
  }
  if (tool === 'dlt') {
    return { dlt: readDlt(root, folder, reading.dlt ?? { script: 'pipeline.py', assetPer: 'pipeline' }) };
  }
  if (tool === 'sling') return { sling: readSling(root, reading.replication ?? 'replication.yaml') };
  if (tool === 'dbt') return { dbt: readDbt(root) };
  const script = readScript(root, folder);
  if (script === undefined && !root.has('script')) {
    root.missing('script', 'a python pipeline needs a script', 'script: { command: [python, main.py] }');
  }
  return script === undefined ? {} : { script };
}

function isAnyTimePartitioned(
  partitions: PipelineConfig['partitions'] | null,
  dbt: PipelineConfig['dbt'],
): boolean {
  return (
    isTimePartitioned(partitions) ||
    (dbt?.assetSets.some((set) => isTimePartitioned(set.partitions)) ?? false)
  );
}

function translated(condition: string | undefined): PipelineConfig['automation'] {
  return condition === undefined ? undefined : { condition };
}

/** Of the folder, of an asset or of a dbt asset set: enough to say that a check may ask for one. */
function mentionsPartitions(value: YamlValue): boolean {
  if (value.kind === 'list') return value.items.some(mentionsPartitions);
  if (value.kind !== 'map') return false;
  return (
    value.entries.has('partitions') ||
    [...value.entries.values()].some((entry) => mentionsPartitions(entry.value))
  );
}

function readAssets(root: MapReader, surroundings: CheckSurroundings): Record<string, AssetOverride> {
  const map = root.section('assets', null);
  const assets: Record<string, AssetOverride> = {};
  for (const name of map?.map.entries.keys() ?? []) {
    const one = map!.section(name, ASSET_KEYS);
    if (one !== undefined) assets[name] = readAssetSettings(one, surroundings);
  }
  return assets;
}

function overlaid(
  below: Readonly<Record<string, AssetOverride>>,
  above: Readonly<Record<string, AssetOverride>>,
): Record<string, AssetOverride> {
  const result: Record<string, AssetOverride> = { ...below };
  for (const [name, settings] of Object.entries(above)) result[name] = { ...below[name], ...settings };
  return result;
}

function readBackfillPolicy(root: MapReader): BackfillPolicy {
  const map = root.section('backfill_policy', ['type', 'max_partitions_per_run']);
  const type = map?.oneOf('type', ['multi_run', 'single_run'] as const) ?? 'multi_run';
  const most = map?.integer('max_partitions_per_run', { min: 1, max: 1_000_000 });
  if (type === 'single_run' && most !== undefined) {
    map!.warning('CONFIG_VALUE', 'max_partitions_per_run', 'it is ignored: single_run has no limit');
  }
  return { type, maxPartitionsPerRun: most ?? 1 };
}

function readEnvironment(root: MapReader, folder: FolderFacts): EnvironmentConfig {
  const map = root.section('environment', ['requirements', 'python', 'source_builds']);
  const given = map === undefined ? undefined : readFile(map, 'requirements', folder);
  const requirements = given ?? (folder.files.has('requirements.txt') ? 'requirements.txt' : undefined);
  const python = map?.word('python');
  if (
    python !== undefined &&
    !/^\s*(?:[<>=!~]=?\s*)?3(?:\.\d+){1,2}(?:\s*,\s*[<>=!~]=?\s*3(?:\.\d+){1,2})*\s*$/.test(python)
  ) {
    map!.error('CONFIG_VALUE', 'python', `"${python}" is not a Python version`, 'write ">=3.10" or "3.11"');
  }
  const sourceBuilds = map?.boolean('source_builds') === true ? true : undefined;
  return defined({ requirements, python: python?.trim(), sourceBuilds });
}

function readEnv(root: MapReader): Record<string, string> {
  const env = root.textMap('env', { anyScalar: true }) ?? {};
  const value = root.value('env');
  for (const name of Object.keys(env)) {
    const at = value?.kind === 'map' ? value.entries.get(name)!.at : root.at;
    const path = `env.${name}`;
    if (!/^[A-Za-z_]\w*$/.test(name)) {
      root.reader.error('CONFIG_VALUE', at, path, `"${name}" cannot name a variable`);
    } else if (RESERVED.test(name)) {
      root.reader.error('CONFIG_VALUE', at, path, `${name} is set by the service`, 'choose another name');
    }
  }
  return env;
}

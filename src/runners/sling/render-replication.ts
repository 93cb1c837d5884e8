import type { TimeWindow } from '../../partitions/instant.ts';

/** A replication file as parsed YAML; only what rendering looks at is named. */
export interface Replication {
  readonly source?: unknown;
  readonly target?: unknown;
  readonly env?: Readonly<Record<string, unknown>>;
  readonly defaults?: StreamSettings;
  readonly streams?: Readonly<Record<string, StreamSettings | null>>;
}

export interface StreamSettings {
  readonly disabled?: boolean;
  readonly mode?: string;
  readonly object?: string;
  readonly sql?: string;
  readonly primary_key?: unknown;
  readonly update_key?: string;
  readonly source_options?: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}

export interface RenderOptions {
  readonly stream: string;
  readonly window: TimeWindow | null;
  readonly partitionKey: string | null;
  /** Dimension → key of a 2-D partition. */
  readonly dimensions: Readonly<Record<string, string>>;
  /** The step works on partitions, this portion of it perhaps on all of them. */
  readonly partitioned: boolean;
  readonly fullRefresh: boolean;
}

export interface RenderedReplication {
  /** Written as JSON, which Sling reads as it reads YAML. */
  readonly content: Readonly<Record<string, unknown>>;
  readonly mode: string;
  readonly object: string;
  readonly updateKey: string | null;
  readonly warnings: readonly string[];
}

const PLACEHOLDER = /\$?\{(START|END|PARTITION_KEY(_\w+)?)\}/;
const DEFAULT_MODE = 'full-refresh';

/**
 * One stream of a replication as a replication of its own, for one process: counts are then unambiguous, and a stream can
 * be retried and cancelled by itself (Sling's `--streams`, `--where` and `--env` do not do what they promise).
 *
 * A partition's window becomes `mode: backfill` with a range, whose ends are both inclusive in Sling, so the end is one
 * microsecond before the window's; a stream that uses `{START}`, `{END}` or `{PARTITION_KEY}` itself only gets their values.
 * Times are UTC.
 */
export function renderReplication(replication: Replication, options: RenderOptions): RenderedReplication {
  const defaults = replication.defaults ?? {};
  const own = replication.streams?.[options.stream] ?? {};
  const settings: StreamSettings = { ...defaults, ...own };
  const warnings: string[] = [];
  const { partitioned } = options;

  let mode = settings.mode ?? DEFAULT_MODE;
  let range: string | undefined;
  if (options.fullRefresh && !partitioned) mode = 'full-refresh';
  else if (options.window !== null && !PLACEHOLDER.test(JSON.stringify(settings))) {
    if (canTakeRange(options.stream, settings)) {
      mode = 'backfill';
      range = `${slingTime(options.window.start)},${lastMoment(options.window.end)}`;
    } else {
      warnings.push(
        `${options.stream}: the partition's window is not applied, because ${whyNoRange(options.stream)}; use {START}, {END} or {PARTITION_KEY} in the stream`,
      );
    }
  }
  if (options.fullRefresh && partitioned) {
    warnings.push('full refresh of a partition loads it again; the table and the other partitions are kept');
  }
  const sourceOptions = {
    ...defaults.source_options,
    ...own.source_options,
    ...(range !== undefined && { range }),
  };
  const stream = {
    ...own,
    mode,
    ...(Object.keys(sourceOptions).length > 0 && { source_options: sourceOptions }),
  };
  const env = { ...partitionEnv(options), ...replication.env };
  return {
    content: {
      source: replication.source,
      target: replication.target,
      ...(Object.keys(env).length > 0 && { env }),
      ...(replication.defaults !== undefined && { defaults: replication.defaults }),
      streams: { [options.stream]: stream },
    },
    mode,
    object: settings.object ?? options.stream,
    updateKey: settings.update_key ?? null,
    warnings,
  };
}

/** Streams to run: those chosen, else all that are not disabled, in the file's order. */
export function chosenStreams(replication: Replication, chosen: readonly string[]): readonly string[] {
  const defaultDisabled = replication.defaults?.disabled === true;
  return Object.entries(replication.streams ?? {})
    .filter(([name]) => chosen.length === 0 || chosen.includes(name))
    .filter(([, settings]) => !(settings?.disabled ?? defaultDisabled))
    .map(([name]) => name);
}

/** Names of variables that the file's `env:` block takes from the process: `'$NAME'` or `'${NAME}'`. */
export function variablesOf(replication: Replication): readonly string[] {
  const values = Object.values(replication.env ?? {}).filter((value) => typeof value === 'string');
  return values.flatMap((value) => {
    const match = /^\$(?:\{(\w+)\}|(\w+))$/.exec(value);
    return match === null ? [] : [match[1] ?? match[2]!];
  });
}

/** Sling takes a range only of database tables; of files it silently reads everything. */
function canTakeRange(stream: string, settings: StreamSettings): boolean {
  return !isFile(stream) && settings.sql === undefined && settings.update_key !== undefined;
}

function whyNoRange(stream: string): string {
  return isFile(stream) ? 'Sling reads files as a whole' : 'the stream is no table with an update_key';
}

function isFile(stream: string): boolean {
  return stream.includes('://');
}

function partitionEnv(options: RenderOptions): Record<string, string> {
  const env: Record<string, string> = {};
  if (options.window !== null) {
    env.START = slingTime(options.window.start);
    env.END = slingTime(options.window.end);
  }
  if (options.partitionKey !== null) env.PARTITION_KEY = options.partitionKey;
  for (const [dimension, key] of Object.entries(options.dimensions)) {
    env[`PARTITION_KEY_${dimension.replaceAll(/\W/g, '_').toUpperCase()}`] = key;
  }
  return env;
}

function slingTime(instant: number): string {
  return new Date(instant).toISOString().slice(0, 19).replace('T', ' ');
}

function lastMoment(end: number): string {
  return `${slingTime(end - 1_000)}.999999`;
}

import type { TimeWindow } from '../../partitions/instant.ts';
import { slingTime, type WindowRanges, windowRanges } from './window-ranges.ts';

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
  readonly meta?: { readonly dagster?: { readonly cursor?: unknown } | null } | null;
  readonly [key: string]: unknown;
}

export interface RenderOptions {
  readonly stream: string;
  readonly window: TimeWindow | null;
  /** Of the partitions: what a date is. */
  readonly timezone: string;
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
  /** The window, for a stream that takes one; which of them fits is known to who knows the column's type. */
  readonly ranges: WindowRanges | null;
  /** What the stream says of its update_key, a key of `ranges`; null: the source has to be asked. */
  readonly cursor: string | null;
  readonly warnings: readonly string[];
}

const PLACEHOLDER = /\$?\{(START|END|PARTITION_KEY(_\w+)?)\}/;
const DEFAULT_MODE = 'full-refresh';

/**
 * One stream of a replication as a replication of its own, for one process: counts are then unambiguous, and a stream can
 * be retried and cancelled by itself (Sling's `--streams`, `--where` and `--env` do not do what they promise).
 *
 * A partition's window becomes `mode: backfill`, for which the runner adds one of `ranges`; a stream that uses `{START}`,
 * `{END}` or `{PARTITION_KEY}` itself only gets their values. Times are UTC.
 */
export function renderReplication(replication: Replication, options: RenderOptions): RenderedReplication {
  const defaults = replication.defaults ?? {};
  const own = replication.streams?.[options.stream] ?? {};
  const settings: StreamSettings = { ...defaults, ...own };
  const warnings: string[] = [];
  const { partitioned } = options;

  let mode = settings.mode ?? DEFAULT_MODE;
  let ranges: WindowRanges | null = null;
  if (options.fullRefresh && !partitioned) mode = 'full-refresh';
  else if (options.window !== null && !PLACEHOLDER.test(JSON.stringify(settings))) {
    const obstacle = whyNoRange(options.stream, settings);
    if (obstacle === null) {
      mode = 'backfill';
      ranges = windowRanges(options.window, options.timezone);
    } else {
      warnings.push(
        `${options.stream}: the partition's window is not applied, because ${obstacle}; use {START}, {END} or {PARTITION_KEY} in the stream`,
      );
    }
  }
  if (options.fullRefresh && partitioned) {
    warnings.push('full refresh of a partition loads it again; the table and the other partitions are kept');
  }
  const sourceOptions = { ...defaults.source_options, ...own.source_options };
  const stream = {
    ...own,
    mode,
    ...(Object.keys(sourceOptions).length > 0 && { source_options: sourceOptions }),
  };
  const env = { ...partitionEnv(options), ...replication.env };
  const declared = own.meta?.dagster?.cursor ?? defaults.meta?.dagster?.cursor;
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
    ranges,
    cursor: typeof declared === 'string' ? declared : null,
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

/**
 * A name that stands for tables of a schema (`public.*`, `public.sales_*`), which the runner asks the source for: one process
 * for each. Patterns of files and of schemas are left to Sling.
 */
export function isTablePattern(stream: string): boolean {
  return !isFile(stream) && /^[^*?.]+\.[^.]*\*[^.]*$/.test(stream);
}

/** Names of variables that the file's `env:` block takes from the process: `'$NAME'` or `'${NAME}'`. */
export function variablesOf(replication: Replication): readonly string[] {
  const values = Object.values(replication.env ?? {}).filter((value) => typeof value === 'string');
  return values.flatMap((value) => {
    const match = /^\$(?:\{(\w+)\}|(\w+))$/.exec(value);
    return match === null ? [] : [match[1] ?? match[2]!];
  });
}

/** Sling takes a range only of database tables (of files it silently reads everything), and replaces rows by their key. */
function whyNoRange(stream: string, settings: StreamSettings): string | null {
  if (isFile(stream)) return 'Sling reads files as a whole';
  if (settings.sql !== undefined) return 'the stream is a query of its own';
  if (settings.update_key === undefined) return 'the stream has no update_key';
  return settings.primary_key === undefined ? 'the stream has no primary_key to replace rows by' : null;
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

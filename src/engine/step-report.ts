import {
  CheckEvent,
  EndEvent,
  LogEvent,
  MaterializationEvent,
  type Metadata,
  ProgressEvent,
  StageEvent,
  type StepEvent,
  WrittenEvent,
} from '../events/step-event.ts';
import type { PlannedAsset } from '../plan/run-plan.ts';
import type { StepSpec } from '../plan/step-spec.ts';
import { isPipesMessage, type PipesException, parsePipesMessage } from '../runners/parse/pipes.ts';

/** What `StepStore.append` takes. */
export type ReportedEvent = StepEvent | { type: 'other'; payload: Record<string, unknown> };

/** What the lines of one attempt's `events.jsonl` add up to. */
export interface StepReport {
  /** Takes one line; returns what is to be stored of it, null for nothing. Never throws. */
  readonly line: (text: string) => ReportedEvent | null;
  readonly end: () => EndEvent | null;
  readonly exception: () => PipesException | null;
  /** It said that it has come to its end, by either protocol. */
  readonly isEnded: () => boolean;
  /** Its tool is through, only checks are left. */
  readonly isAllWritten: () => boolean;
  readonly wasReported: (assetKey: string) => boolean;
  /** Planned assets that are written in all of this step's partitions. */
  readonly finishedAssets: () => readonly string[];
  /** `asset_key:check` of blocking checks that failed, newest result of each. */
  readonly failedBlockingChecks: () => readonly string[];
}

/** Lines of these types are dropped beyond this number, so that a chatty script cannot fill the store. */
const MOST_CHATTER = 20_000;

const BY_TYPE = {
  materialization: MaterializationEvent,
  check: CheckEvent,
  progress: ProgressEvent,
  stage_start: StageEvent,
  stage_end: StageEvent,
  log: LogEvent,
  end: EndEvent,
} as const;

/**
 * Reads the stream of an attempt: our runners' events and Dagster Pipes messages share the file.
 * @param redact masks secrets in every string that is stored
 * @param elapsedSeconds how long the attempt has run, for materializations that do not say it themselves
 */
export function createStepReport(
  spec: StepSpec,
  redact: (text: string) => string,
  elapsedSeconds: () => number,
): StepReport {
  const planned = new Map(spec.assets.map((asset) => [asset.key, asset]));
  const checked = new Map([...planned, ...(spec.written ?? []).map((asset) => [asset.key, asset] as const)]);
  const written = new Map<string, Set<string> | 'all'>();
  /** By check, then by partition: the newest result of each counts. */
  const checkResults = new Map<string, Map<string | null, boolean>>();
  let end: EndEvent | null = null;
  let exception: PipesException | null = null;
  let isClosed = false;
  let isAllWritten = false;
  let chatter = 0;

  function take(event: ReportedEvent): ReportedEvent | null {
    switch (event.type) {
      case 'end':
        end = event;
        return null;
      case 'materialization':
        return takeMaterialization(event);
      case 'check':
        if (checked.get(event.asset_key)?.blockingChecks.includes(event.check_name) === true) {
          const name = `${event.asset_key}:${event.check_name}`;
          const results = checkResults.get(name) ?? new Map<string | null, boolean>();
          checkResults.set(name, results.set(event.partition ?? null, event.passed));
        }
        return event;
      default:
        chatter += 1;
        if (chatter > MOST_CHATTER) return null;
        if (chatter < MOST_CHATTER) return event;
        return warning(`more than ${MOST_CHATTER} events: further log and progress events are dropped`);
    }
  }

  function takeMaterialization(event: MaterializationEvent): ReportedEvent {
    if (!planned.has(event.asset_key)) {
      return warning(`a materialization of "${event.asset_key}" was reported, which this step does not make`);
    }
    const partition = event.partition ?? null;
    const known = written.get(event.asset_key);
    if (partition === null) written.set(event.asset_key, 'all');
    else if (known !== 'all') written.set(event.asset_key, (known ?? new Set()).add(partition));
    return {
      ...event,
      metadata: { ...engineMetadata(spec, partition, elapsedSeconds()), ...event.metadata },
    };
  }

  return {
    line(text) {
      const event = parseLine(text, redact, (found) => {
        isClosed = true;
        exception = found;
      });
      if (event?.type === 'other' && WrittenEvent.safeParse(event.payload).success) {
        isAllWritten = true;
        return null;
      }
      return event === null ? null : take(event);
    },
    end: () => end,
    exception: () => exception,
    isEnded: () => isClosed || end !== null,
    isAllWritten: () => isAllWritten,
    wasReported: (assetKey) => written.has(assetKey),
    finishedAssets: () =>
      spec.assets.filter((asset) => isWritten(asset, written.get(asset.key), spec)).map(({ key }) => key),
    failedBlockingChecks: () =>
      [...checkResults].flatMap(([name, results]) => ([...results.values()].includes(false) ? [name] : [])),
  };
}

/** What the engine itself knows of a materialization. */
export function engineMetadata(spec: StepSpec, partition: string | null, seconds: number): Metadata {
  const only = spec.partitions.kind === 'key' ? spec.partitions.key : null;
  const key = partition ?? only;
  return {
    commit: spec.code.commit,
    ...(key === null ? {} : { partition: key }),
    seconds: Math.round(seconds * 1000) / 1000,
    ...(spec.fullRefresh ? { full_refresh: true } : {}),
  };
}

function parseLine(
  text: string,
  redact: (text: string) => string,
  onException: (exception: PipesException | null) => void,
): ReportedEvent | null {
  if (text.trim() === '') return null;
  let value: unknown;
  try {
    value = redactStrings(JSON.parse(text), redact);
  } catch {
    return warning(`a line of the event file is not JSON: ${redact(text.slice(0, 200))}`);
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    return warning(`a line of the event file is not an object: ${redact(text.slice(0, 200))}`);
  }
  const record = value as Record<string, unknown>;
  if (!isPipesMessage(record)) return parseOwn(record);
  const message = parsePipesMessage(record);
  switch (message.kind) {
    case 'event':
      return message.event;
    case 'other':
      return { type: 'other', payload: { ...message.payload } };
    case 'closed':
      onException(message.exception);
      return null;
    case 'opened':
      return null;
  }
}

function parseOwn(record: Record<string, unknown>): ReportedEvent {
  const { type } = record;
  if (typeof type === 'string' && Object.hasOwn(BY_TYPE, type)) {
    const parsed = BY_TYPE[type as keyof typeof BY_TYPE].safeParse(record);
    if (parsed.success) return parsed.data;
  }
  return { type: 'other', payload: record };
}

function isWritten(asset: PlannedAsset, written: Set<string> | 'all' | undefined, spec: StepSpec): boolean {
  if (written === undefined || written === 'all') return written === 'all';
  switch (asset.partitions.kind) {
    case 'none':
      return true;
    case 'key':
      return written.has(asset.partitions.key);
    case 'keys':
      return asset.partitions.keys.every((key) => written.has(key));
    case 'range':
      // The ends of a long range do not tell that all of it was written.
      return spec.partitionKeys.length > 2 && spec.partitionKeys.every((key) => written.has(key));
  }
}

function warning(message: string): ReportedEvent {
  return { type: 'log', level: 'warning', message };
}

function redactStrings(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((item) => redactStrings(item, redact));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [redact(key), redactStrings(child, redact)]),
  );
}

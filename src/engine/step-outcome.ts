import type { FailureClass, StepError, StepResult } from '../events/run-event.ts';
import type { Metadata } from '../events/step-event.ts';
import { roundedBytes } from '../lib/bytes.ts';
import type { StepSpec } from '../plan/step-spec.ts';
import type { ErrorText } from '../runners/parse/traceback.ts';
import { limitError, type PassedLimit } from './limit-error.ts';
import { engineMetadata, type StepReport } from './step-report.ts';

/** Why the process of an attempt ended; `exit.json` of the supervisor (`python/elt_supervisor.py`). */
export interface ProcessExit {
  readonly reason:
    | 'exited'
    | 'cancelled'
    | 'timeout'
    | 'limit'
    | 'lease_expired'
    | 'terminated'
    | 'spawn_failed'
    | 'vanished';
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly seconds: number;
  /** It did not heed the signal and was killed. */
  readonly forced: boolean;
  readonly maxRssKb: number | null;
  /** Of all its processes. */
  readonly cpuSeconds?: number;
  readonly passedLimit?: PassedLimit | null;
  /** Who keeps its limits; absent: it has none. */
  readonly limitsBy?: 'cgroup' | 'rlimit' | null;
  /** The kernel ended it because the machine, or the container, had no memory left. */
  readonly isOomKilled?: boolean;
  readonly message: string;
}

export interface Implied {
  readonly assetKey: string;
  readonly partitions: readonly string[];
  readonly metadata: Metadata;
}

export interface StepOutcome {
  readonly result: StepResult;
  readonly implied: readonly Implied[];
}

/**
 * The result of an attempt from what it reported and how its process ended: never from the text of its output
 * (`faults.md` E3), which only words the error.
 */
export function stepOutcome(
  spec: StepSpec,
  report: StepReport,
  exit: ProcessExit,
  errorText: () => ErrorText | null,
): StepOutcome {
  const { seconds } = exit;
  const isAllWritten = report.isAllWritten();
  const unfinished = new Set(isAllWritten ? [] : (report.end()?.unfinished_assets ?? []));
  const implied = spec.assets
    .filter((asset) => !report.wasReported(asset.key) && !unfinished.has(asset.key))
    .map((asset) => impliedBy(spec, asset.key, seconds));
  if (isDone(spec, report, exit)) {
    const failedChecks = report.failedBlockingChecks();
    if (failedChecks.length > 0) {
      const written = [...report.finishedAssets(), ...implied.map(({ assetKey }) => assetKey)];
      return { result: failed(spec, seconds, blockingError(failedChecks), written, failedChecks), implied };
    }
    if (unfinished.size === 0) {
      return { result: { type: 'step_succeeded', seconds, metadata: resources(exit) }, implied };
    }
  }
  if (exit.reason === 'cancelled') {
    return {
      result: { type: 'step_canceled', seconds, forced: exit.forced },
      implied: isAllWritten ? implied : [],
    };
  }
  const checks = report.failedBlockingChecks();
  const error = errorOf(spec, report, exit, errorText());
  if (isAllWritten) {
    // It ended in the middle of its checks. Whatever the tool, nothing of it is to be written again.
    const finishedAssets = spec.assets.map((asset) => asset.key);
    const result = {
      type: 'step_failed',
      seconds,
      error,
      finishedAssets,
      failedBlockingChecks: checks,
    } as const;
    return { result, implied };
  }
  // The tool's word goes first: what a test of dbt found bad is written, and has to be made and tested again.
  const written = report.finishedAssets().filter((key) => !unfinished.has(key));
  return { result: failed(spec, seconds, error, written, checks), implied: [] };
}

/** A step that ends because of us before its process is there: nothing of the user's code ran. */
export function failedBeforeStart(error: StepError, seconds: number): StepOutcome {
  return {
    result: { type: 'step_failed', seconds, error, finishedAssets: [], failedBlockingChecks: [] },
    implied: [],
  };
}

/**
 * Finished by its own word and its exit code together. The runners of dlt, Sling and dbt always say `end`; a script is
 * not asked to. A process that came to its end although it was told to stop has done its work, and that counts.
 */
function isDone(spec: StepSpec, report: StepReport, exit: ProcessExit): boolean {
  if (exit.exitCode !== 0 || report.exception() !== null) return false;
  const end = report.end();
  if (end === null) return spec.tool === 'python' && exit.reason === 'exited';
  return end.status === 'ok';
}

function failed(
  spec: StepSpec,
  seconds: number,
  error: StepError,
  written: readonly string[],
  failedBlockingChecks: readonly string[],
): StepResult {
  const checked = new Set(failedBlockingChecks.map((name) => name.slice(0, name.lastIndexOf(':'))));
  // A script runs as a whole. What a blocking check found bad has to be made and checked again.
  const finishedAssets = spec.tool === 'python' ? [] : written.filter((key) => !checked.has(key));
  return { type: 'step_failed', seconds, error, finishedAssets, failedBlockingChecks };
}

function errorOf(spec: StepSpec, report: StepReport, exit: ProcessExit, text: ErrorText | null): StepError {
  const process = { exitCode: exit.exitCode, signal: exit.signal };
  switch (exit.reason) {
    case 'timeout':
      return {
        code: 'STEP_TIMEOUT',
        message: `ran longer than ${(spec.timeoutMs ?? 0) / 1000} s and was ended`,
        failureClass: 'timeout',
        ...process,
      };
    case 'spawn_failed':
      return { code: 'STEP_FAILED', message: exit.message, failureClass: 'config', ...process };
    case 'lease_expired':
    case 'terminated':
    case 'vanished':
      return { code: 'STEP_LOST', message: exit.message, failureClass: 'lost', ...process };
    default: {
      const reported = reportedError(report, exit, text);
      const limit = limitError(spec, {
        passed: exit.passedLimit ?? null,
        keptBy: exit.limitsBy ?? null,
        maxRssKb: exit.maxRssKb,
        signal: exit.signal,
        texts: [reported.message, reported.stack, text?.tail],
      });
      if (limit !== null) return { ...reported, ...limit, ...process };
      if (exit.isOomKilled === true) return { ...outOfMemory(exit), ...process };
      return { ...reported, ...process };
    }
  }
}

/** Not the step's own limit, so another time may go well. */
function outOfMemory({ maxRssKb }: ProcessExit): StepError {
  const held = maxRssKb === null ? '' : ` while it held ${roundedBytes(maxRssKb * 1024)}`;
  return {
    code: 'STEP_OUT_OF_MEMORY',
    message:
      `the kernel ended it (SIGKILL, exit code 137 of a shell)${held}: the machine or its container had no memory left. ` +
      'Run less at once (ELT_MAX_CONCURRENT, pools), give it more memory, or set limits.memory to tell which step takes it',
    failureClass: 'transient',
  };
}

function reportedError(report: StepReport, exit: ProcessExit, text: ErrorText | null): StepError {
  const end = report.end();
  if (end !== null && end.status !== 'ok') {
    const { error } = end;
    return {
      code: end.failure_class === 'resource_busy' ? 'RESOURCE_BUSY' : 'STEP_FAILED',
      message:
        error == null
          ? (text?.message ?? `the runner reported "${end.status}"`)
          : `${error.name}: ${error.message}`,
      failureClass: end.failure_class ?? 'user',
      ...(error?.stack == null ? {} : { stack: error.stack }),
      ...(error?.file == null ? {} : { file: error.file }),
      ...(error?.line == null ? {} : { line: error.line }),
    };
  }
  const exception = report.exception();
  if (exception !== null) {
    return {
      code: 'STEP_FAILED',
      message: `${exception.name}: ${exception.message}`,
      failureClass: text?.isBusy === true ? 'resource_busy' : 'user',
      stack: exception.stack,
      ...place(text),
    };
  }
  if (exit.exitCode === 0) {
    if (end !== null) {
      return {
        code: 'STEP_FAILED',
        message: `not written: ${(end.unfinished_assets ?? []).join(', ')}`,
        failureClass: 'user',
      };
    }
    return { code: 'STEP_LOST', message: 'the process ended without saying how', failureClass: 'lost' };
  }
  const failureClass: FailureClass =
    text?.isBusy === true ? 'resource_busy' : exit.signal === null ? 'user' : 'transient';
  return {
    code: failureClass === 'resource_busy' ? 'RESOURCE_BUSY' : 'STEP_FAILED',
    message: text?.message ?? `the process ended with ${exitWords(exit)}`,
    failureClass,
    ...(text?.stack === undefined ? {} : { stack: text.stack }),
    ...place(text),
  };
}

function place(text: ErrorText | null): Pick<StepError, 'file' | 'line'> {
  return text?.file === undefined || text.line === undefined ? {} : { file: text.file, line: text.line };
}

function exitWords(exit: ProcessExit): string {
  return exit.signal === null ? `exit code ${exit.exitCode}` : `signal ${exit.signal}`;
}

function blockingError(checks: readonly string[]): StepError {
  return {
    code: 'BLOCKING_CHECK_FAILED',
    message: `blocking check ${checks.join(', ')} failed`,
    failureClass: 'data',
  };
}

function impliedBy(spec: StepSpec, assetKey: string, seconds: number): Implied {
  const asset = spec.assets.find(({ key }) => key === assetKey)!;
  // None named: all of the step's partitions. A long range is not spelled out in the spec.
  const isSpelledOut = asset.partitions.kind === 'key' || asset.partitions.kind === 'keys';
  return {
    assetKey,
    partitions: isSpelledOut ? spec.partitionKeys : [],
    metadata: engineMetadata(spec, null, seconds),
  };
}

function resources(exit: ProcessExit): Metadata {
  return {
    ...(exit.maxRssKb === null ? {} : { max_rss_kb: exit.maxRssKb }),
    ...(exit.cpuSeconds === undefined ? {} : { cpu_seconds: exit.cpuSeconds }),
  };
}

import type { StepError } from '../events/run-event.ts';
import { roundedBytes, writtenBytes } from '../lib/bytes.ts';
import type { StepSpec } from '../plan/step-spec.ts';

/** What the supervisor says of a limit that was passed, in bytes or seconds. */
export interface PassedLimit {
  readonly name: 'memory' | 'cpu_time';
  readonly limit: number;
  readonly used: number;
}

interface Evidence {
  /** Known for certain, from the kernel or by counting; null: not. */
  readonly passed: PassedLimit | null;
  /** Who keeps the memory limit: with `rlimit` the step's own programs are refused what they ask for, and say so. */
  readonly keptBy: 'cgroup' | 'rlimit' | null;
  readonly maxRssKb: number | null;
  readonly signal: string | null;
  /** Its words, and the end of its output. */
  readonly texts: readonly (string | undefined)[];
}

/** How Python, DuckDB, C++, Go and glibc say that they were refused memory; a thread needs some for its stack. */
const REFUSED_MEMORY =
  /\bMemoryError\b|\bOutOfMemory(?:Exception|Error)?\b|Out of Memory Error|\bbad_alloc\b|bad allocation|cannot allocate memory|runtime: out of memory|Unable to allocate [\d.]+ [KMGT]?i?B|pthread_create failed|can't start new thread/i;
/** What programs end by that do not look whether they got what they asked for. */
const CRASHES: ReadonlySet<string | null> = new Set(['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGTRAP']);
/** Of the limit; a process holds at most two thirds to nine tenths of what it has asked for. */
const SHARE_HELD = 0.5;

/**
 * The error of an attempt that met one of its limits, from what it met; null if it met none.
 * It says which limit, how much was used, and which key of which file to change.
 */
export function limitError(
  spec: StepSpec,
  { passed, keptBy, maxRssKb, signal, texts }: Evidence,
): Pick<StepError, 'code' | 'message' | 'failureClass'> | null {
  if (passed !== null) {
    const [limit, used] =
      passed.name === 'memory'
        ? [writtenBytes(passed.limit), roundedBytes(passed.used)]
        : [`${passed.limit} s`, `${Math.round(passed.used * 10) / 10} s`];
    const what = passed.name === 'memory' ? 'memory' : 'processor time';
    return told(spec, passed.name, `it used ${used} of ${what}, ${limit} are allowed`);
  }
  const memory = spec.limits?.memoryBytes;
  if (memory === undefined || keptBy !== 'rlimit') return null;
  const isSaid = texts.some((text) => text !== undefined && REFUSED_MEMORY.test(text));
  const isCrash = CRASHES.has(signal) && (maxRssKb ?? 0) * 1024 > memory * SHARE_HELD;
  if (!isSaid && !isCrash) return null;
  const held = maxRssKb === null ? '' : ` (it held ${roundedBytes(maxRssKb * 1024)} at most)`;
  return told(
    spec,
    'memory',
    `it asked for more memory than the ${writtenBytes(memory)} that are allowed${held}`,
  );
}

function told(
  spec: StepSpec,
  name: PassedLimit['name'],
  message: string,
): Pick<StepError, 'code' | 'message' | 'failureClass'> {
  const own = spec.config.limits;
  const isOwn = (name === 'memory' ? own?.memoryBytes : own?.cpuTimeSeconds) !== undefined;
  const dir = spec.config.dir === '' ? '' : `${spec.config.dir}/`;
  const file = isOwn ? `${dir}dagster.yaml` : 'dagster.yaml';
  const place = isOwn ? file : `${file} at the root of the repository (or set it in ${dir}dagster.yaml)`;
  return {
    code: 'STEP_LIMIT',
    message: `${message}. To allow more, raise limits.${name} in ${place}; else let the step do less at once`,
    failureClass: 'limit',
  };
}

import type { StepRef } from '../plan/step-spec.ts';

/**
 * One line of output: text redacted, capped and valid UTF-8. `line` counts from 1 over the attempt, both streams together
 * in the order of arrival.
 */
export interface LogLine {
  readonly line: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly stream: 'stdout' | 'stderr' | 'system';
  readonly text: string;
}

export type LogRef = Pick<StepRef, 'runId' | 'stepKey' | 'attempt'>;

/**
 * What server and CLI read logs through. The stored form is the supervisor's: `<epoch ms> <o|e|s> <text>\n` per line.
 * Adapter: files under `ELT_HOME/logs`.
 */
export interface LogStore {
  /** Idempotent by `offset`: bytes that are there already are passed over; a gap is refused. */
  append(ref: LogRef, offset: number, bytes: Uint8Array): Promise<void>;
  /** Bytes stored so far. */
  size(ref: LogRef): Promise<number>;
  /** From line `fromLine` (1-based), at most `limit` lines; `tail: n` reads the last n lines instead. */
  read(
    ref: LogRef,
    options: { fromLine?: number; tail?: number; limit: number },
  ): Promise<{ readonly lines: readonly LogLine[]; readonly nextLine: number; readonly complete: boolean }>;
  /** Says that no more will come. */
  seal(ref: LogRef): Promise<void>;
  attempts(runId: string): Promise<readonly LogRef[]>;
  /** Called after each append of this run, in this process. */
  subscribe(runId: string, listener: (ref: LogRef) => void): () => void;
  remove(runId: string): Promise<void>;
}

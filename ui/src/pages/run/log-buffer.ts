import { type Signal, signal } from '@preact/signals';
import type { LogLine, RunLogs } from '../../../../src/server/contract/run.ts';
import { get, segment } from '../../api/client.ts';
import { type ApiError, toApiError } from '../../api/problem.ts';
import { followLogs, onChange } from '../../live/connection.ts';

/** A log as far as it was read. `lines` only grows; `length` tells when. */
export interface LogBuffer {
  readonly lines: readonly LogLine[];
  /** Positions in `lines` that speak of an error. */
  readonly errors: readonly number[];
  readonly length: Signal<number>;
  /** Of a long log its last lines, to be shown until the rest has been read. */
  readonly early: Signal<readonly LogLine[]>;
  /** Read to the end of what there is. */
  readonly caughtUp: Signal<boolean>;
  /** The attempt has ended, and all of it was read. */
  readonly complete: Signal<boolean>;
  readonly failure: Signal<ApiError | null>;
  readonly close: () => void;
}

const CHUNK = 10_000;
const EARLY = 500;
const ERROR = /\b(?:\w*(?:error|exception)|traceback|fatal|critical|panic)\b/i;
/** A failing test's summary, "0 errors", is no error. */
const NO_ERROR = /\b(0|no) errors?\b/i;

/**
 * Reads the log of one attempt from its first line, in pieces, and then whatever the stream announces. Never asks
 * twice at the same time; a notice during a request leads to one more.
 */
export function readLog(runId: string, stepKey: string, attempt: number): LogBuffer {
  const lines: LogLine[] = [];
  const errors: number[] = [];
  const length = signal(0);
  const early = signal<readonly LogLine[]>([]);
  const caughtUp = signal(false);
  const complete = signal(false);
  const failure = signal<ApiError | null>(null);
  let nextLine = 1;
  let reading = false;
  let again = false;
  let closed = false;

  const stopLogs = followLogs(runId, (log) => {
    if (log.step_key === stepKey && log.attempt === attempt) void read();
  });
  const stopChanges = onChange((change) => {
    if (change.run_id === runId && (change.step_key === stepKey || change.step_key === null)) void read();
  });
  void read();
  return {
    lines,
    errors,
    length,
    early,
    caughtUp,
    complete,
    failure,
    close() {
      closed = true;
      stopLogs();
      stopChanges();
    },
  };

  async function read(): Promise<void> {
    if (reading || complete.peek()) {
      again = true;
      return;
    }
    reading = true;
    try {
      do {
        again = false;
        await readToEnd();
      } while (again && !closed && !complete.peek());
      failure.value = null;
    } catch (error) {
      failure.value = toApiError(error);
    }
    reading = false;
  }

  async function readToEnd(): Promise<void> {
    const path = `/runs/${segment(runId)}/logs?step=${segment(stepKey)}&attempt=${attempt}&limit=${CHUNK}`;
    let asked = get<RunLogs>(`${path}&from_line=${nextLine}`);
    while (!closed) {
      const page = await asked;
      const isFull = page.lines.length >= CHUNK;
      // The service reads on while these lines are looked at.
      if (isFull) {
        if (lines.length === 0) readEnd(path);
        asked = get<RunLogs>(`${path}&from_line=${page.next_line}`);
        // Awaited in the next round, or not at all.
        asked.catch(() => undefined);
      }
      for (const line of page.lines) {
        if (ERROR.test(line.text) && !NO_ERROR.test(line.text)) errors.push(lines.length);
        lines.push(line);
      }
      nextLine = Math.max(nextLine, page.next_line);
      length.value = lines.length;
      if (!isFull) {
        caughtUp.value = true;
        early.value = [];
        complete.value = page.complete;
        return;
      }
    }
  }

  function readEnd(path: string): void {
    const end = path.replace(/&limit=\d+$/, `&tail=${EARLY}`);
    get<RunLogs>(end).then(
      (page) => {
        if (!caughtUp.peek()) early.value = page.lines;
      },
      // What cannot be read now comes with the rest, or its failure does.
      () => undefined,
    );
  }
}

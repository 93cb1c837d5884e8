import { type RunState, TERMINAL_RUN, TERMINAL_STEP } from '../../events/run-state.ts';
import { OperationalError } from '../../lib/errors.ts';
import type { LogLine, LogRef } from '../../store/log-store.ts';
import type { RunLogs } from '../contract/run.ts';
import { timestamp } from './view-context.ts';

/**
 * Which attempt's lines are meant: the step asked for; else the step that failed, the one that runs, the last that began.
 * Attempt 0 is that of a step which has not begun.
 * @throws `NOT_FOUND` for a step or an attempt that the run does not have
 */
export function chooseLog(
  state: RunState,
  attempts: readonly LogRef[],
  asked: { step: string | undefined; attempt: number | undefined },
): LogRef {
  const stepKey = asked.step ?? mostTelling(state);
  const step = state.steps[stepKey];
  if (step === undefined) {
    throw new OperationalError('NOT_FOUND', `run ${state.runId} has no step "${stepKey}"`, {
      hint: `it has ${Object.keys(state.steps).join(', ')}`,
    });
  }
  const known = attempts.filter((ref) => ref.stepKey === stepKey).map((ref) => ref.attempt);
  const attempt = asked.attempt ?? Math.max(step.attempt, ...known, 0);
  if (attempt > Math.max(step.attempt, ...known, 0)) {
    throw new OperationalError(
      'NOT_FOUND',
      `step ${stepKey} has had ${step.attempt} attempts, not ${attempt}`,
    );
  }
  return { runId: state.runId, stepKey, attempt };
}

export function runLogs(
  state: RunState,
  chosen: LogRef,
  attempts: readonly LogRef[],
  read: { readonly lines: readonly LogLine[]; readonly nextLine: number; readonly complete: boolean },
): RunLogs {
  const step = state.steps[chosen.stepKey];
  const neverBegan = chosen.attempt === 0 && (TERMINAL_RUN.has(state.status) || isOver(step?.status));
  return {
    step_key: chosen.stepKey,
    attempt: chosen.attempt,
    attempts: attempts.map(({ stepKey, attempt }) => ({ step_key: stepKey, attempt })),
    lines: read.lines.map(({ line, at, stream, text }) => ({ line, at: timestamp(at), stream, text })),
    next_line: read.nextLine,
    complete: read.complete || neverBegan,
  };
}

function isOver(status: RunState['steps'][string]['status'] | undefined): boolean {
  return status !== undefined && TERMINAL_STEP.has(status);
}

function mostTelling(state: RunState): string {
  const steps = Object.values(state.steps);
  const failed = steps.find((step) => step.status === 'failed' || step.status === 'attempt_failed');
  if (failed !== undefined) return failed.stepKey;
  const running = steps.find((step) => step.status === 'running' || step.status === 'retry_wait');
  if (running !== undefined) return running.stepKey;
  let last = steps[0];
  for (const step of steps) {
    if (step.attempt > 0 && (step.dispatchedAt ?? 0) >= (last?.dispatchedAt ?? 0)) last = step;
  }
  return last?.stepKey ?? '';
}

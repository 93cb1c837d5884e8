import { readFileSync, statSync } from 'node:fs';
import type { StepError } from '../events/run-event.ts';
import { OperationalError } from '../lib/errors.ts';
import { createRedactor } from '../lib/secret.ts';
import type { StepRef, StepSpec } from '../plan/step-spec.ts';
import { hasDeclaredChecks } from '../runners/checks.ts';
import { parseErrorText } from '../runners/parse/traceback.ts';
import { followStep } from './local/follow-step.ts';
import { insist } from './local/insist.ts';
import { claimPlace, type PreparedStep, prepareStep, secretsOf } from './local/prepare-step.ts';
import { scrubState } from './local/scrub-state.ts';
import { startAttempt } from './local/start-attempt.ts';
import {
  createStepDir,
  readExit,
  revokeLease,
  type StepDir,
  stepDirOf,
  touchLease,
  wasSpawned,
} from './local/step-dir.ts';
import { killStragglers } from './local/stragglers.ts';
import { awaitSupervisor, type SupervisorProcess } from './local/supervisor.ts';
import { type StepControl, type StepEnd, StepErrorThrown, type StepMachine } from './step-machine.ts';
import { failedBeforeStart, type ProcessExit, type StepOutcome, stepOutcome } from './step-outcome.ts';
import { createStepReport } from './step-report.ts';

const LOG_TAIL_BYTES = 64 * 1024;

/**
 * Runs one attempt from its lease to its recorded result. Everything that goes wrong becomes a result; it rejects only
 * when the store does, and then its process runs on. The attempt's folder is the caller's to remove once it is
 * `finished` or `fenced`.
 */
export async function runStep(ref: StepRef, machine: StepMachine, control: StepControl): Promise<StepEnd> {
  const spec = await machine.steps.spec(ref);
  if ((await machine.steps.acquire(spec.ref, machine.holder)) !== 'ok') return 'refused';
  machine.crashPoint('acquired');
  const dir = stepDirOf(machine.places.steps, spec.ref);
  return withLease(spec, machine, control, (inner) => startAndFollow(spec, machine, inner, dir));
}

/**
 * Goes on with an attempt that was begun before and whose lease we hold: follows its process, or reads what it left, or,
 * if none was started, starts it. So an attempt has one process, whoever asks how often.
 */
export function adoptStep(spec: StepSpec, machine: StepMachine, control: StepControl): Promise<StepEnd> {
  const dir = stepDirOf(machine.places.steps, spec.ref);
  return withLease(spec, machine, control, async (inner) => {
    if (wasSpawned(dir)) return resumeAndFollow(spec, machine, inner, dir);
    // Its folder can have been taken away under a process that runs.
    await killStragglers(dir.stepId);
    return startAndFollow(spec, machine, inner, dir);
  });
}

async function resumeAndFollow(
  spec: StepSpec,
  machine: StepMachine,
  control: StepControl,
  dir: StepDir,
): Promise<StepEnd> {
  const supervisor = await awaitSupervisor(dir);
  if (supervisor === null && readExit(dir) === null) {
    // Revoked first: a supervisor that is only just starting then ends itself.
    revokeLease(dir);
    await killStragglers(dir.stepId);
  }
  const place = claimPlace(spec, machine);
  let end: StepEnd = 'left';
  try {
    const secrets = [...place.secrets, ...(await secretsOf(spec, machine))];
    end = await follow(spec, machine, control, { dir, supervisor, secrets, isAdopted: true, envKey: null });
    return end;
  } finally {
    place.release(end);
  }
}

/** Lease renewed every quarter of its length; its loss or its wish to cancel reach the attempt as signals. */
async function withLease(
  spec: StepSpec,
  machine: StepMachine,
  control: StepControl,
  work: (control: StepControl) => Promise<StepEnd>,
): Promise<StepEnd> {
  const { ref } = spec;
  const dir = stepDirOf(machine.places.steps, ref);
  const cancel = new AbortController();
  const fenced = new AbortController();
  // An adopted process may have waited for nearly as long as it waits at all.
  touchLease(dir);
  const timer = setInterval(() => void renew(), ref.leaseTtlMs / 4);
  timer.unref();
  try {
    return await work({
      ...control,
      cancel: AbortSignal.any([control.cancel, cancel.signal]),
      fenced: AbortSignal.any([control.fenced, fenced.signal]),
    });
  } finally {
    clearInterval(timer);
  }

  async function renew(): Promise<void> {
    try {
      const answer = await machine.steps.renew(ref, machine.holder);
      if (answer === 'lost') fenced.abort();
      else touchLease(dir);
      if (answer === 'cancel') cancel.abort();
    } catch (error) {
      machine.logger.warn(
        { err: error, run_id: ref.runId, step: ref.stepKey },
        'a lease could not be renewed',
      );
    }
  }
}

async function startAndFollow(
  spec: StepSpec,
  machine: StepMachine,
  control: StepControl,
  dir: StepDir,
): Promise<StepEnd> {
  const begun = machine.clock.now();
  await endEarlierAttempts(spec, machine);
  createStepDir(dir);
  // Everything was written by earlier attempts, the last of which was lost after its last asset.
  if (spec.operation === undefined && spec.assets.length === 0 && !hasDeclaredChecks(spec)) {
    return finish(spec, machine, {
      result: { type: 'step_succeeded', seconds: 0, metadata: {} },
      implied: [],
    });
  }
  const seconds = (): number => (machine.clock.now() - begun) / 1000;
  const stop = AbortSignal.any([control.cancel, control.terminate, control.leave, control.fenced]);
  let prepared: PreparedStep | null = null;
  let end: StepEnd = 'left';
  try {
    let supervisor: SupervisorProcess;
    try {
      prepared = await prepareStep(spec, dir, machine, stop);
      if (stop.aborted) return await stopBeforeStart(spec, machine, control, seconds());
      machine.crashPoint('before_spawn');
      supervisor = await startAttempt(prepared, dir);
    } catch (error) {
      if (stop.aborted) return await stopBeforeStart(spec, machine, control, seconds());
      return await finish(spec, machine, failedBeforeStart(errorBeforeStart(error), seconds()));
    }
    machine.crashPoint('spawned');
    const { secrets, envKey } = prepared;
    end = await follow(spec, machine, control, { dir, supervisor, secrets, isAdopted: false, envKey });
    return end;
  } finally {
    prepared?.release(end);
  }
}

/** Never two live attempts of a step: whatever an earlier one left on this machine ends first. */
async function endEarlierAttempts({ ref }: StepSpec, machine: StepMachine): Promise<void> {
  for (let attempt = ref.attempt - 1; attempt > 0; attempt--) {
    const dir = stepDirOf(machine.places.steps, { ...ref, attempt });
    if (!wasSpawned(dir)) continue;
    revokeLease(dir);
    await killStragglers(dir.stepId);
  }
}

async function stopBeforeStart(
  spec: StepSpec,
  machine: StepMachine,
  control: StepControl,
  seconds: number,
): Promise<StepEnd> {
  if (control.fenced.aborted) return 'fenced';
  // Nothing was started: the next life of this service starts it, as the same attempt.
  if (!control.cancel.aborted) return 'left';
  return finish(spec, machine, {
    result: { type: 'step_canceled', seconds, forced: false },
    implied: [],
  });
}

interface Running {
  readonly dir: StepDir;
  /** Null: nothing of the attempt lives any more. */
  readonly supervisor: SupervisorProcess | null;
  readonly secrets: readonly string[];
  readonly isAdopted: boolean;
  /** Null: recorded by an earlier life, if at all. */
  readonly envKey: string | null;
}

async function follow(
  spec: StepSpec,
  machine: StepMachine,
  control: StepControl,
  running: Running,
): Promise<StepEnd> {
  const { dir } = running;
  const begun = statSync(dir.events).birthtimeMs;
  const report = createStepReport(spec, createRedactor(running.secrets), () => (Date.now() - begun) / 1000);
  const exit = await followStep(spec, machine, control, { ...running, report });
  if (exit === 'left') return 'left';
  if (exit === 'fenced') {
    revokeLease(dir);
    await killStragglers(dir.stepId);
    return 'fenced';
  }
  machine.crashPoint('exit_seen');
  const outcome = stepOutcome(spec, report, exitOf(exit, control), () => errorText(spec, machine, dir));
  scrubState(machine.places.state(spec.component, spec.pipeline), begun, running.secrets);
  return finish(spec, machine, outcome);
}

/** An attempt that ended because the service did is nobody's cancel, and a process that vanished after one is. */
function exitOf(exit: ProcessExit, control: StepControl): ProcessExit {
  if (exit.reason === 'vanished' && control.cancel.aborted)
    return { ...exit, reason: 'cancelled', forced: true };
  if (exit.reason === 'terminated') return { ...exit, message: 'ended together with the service' };
  return exit;
}

async function finish(spec: StepSpec, machine: StepMachine, outcome: StepOutcome): Promise<StepEnd> {
  await insist(machine, () => machine.logs.seal(spec.ref));
  const answer = await insist(machine, () => machine.steps.finish(spec.ref, outcome.result, outcome.implied));
  machine.crashPoint('finished');
  return answer === 'ok' ? 'finished' : 'fenced';
}

function errorText(spec: StepSpec, machine: StepMachine, dir: StepDir): ReturnType<typeof parseErrorText> {
  const tail = readFileSync(dir.output).subarray(-LOG_TAIL_BYTES).toString('utf8');
  const lines = tail.split('\n');
  const textOf = (stream: string) =>
    lines.flatMap((line) => {
      const match = /^\d+ ([oes]) (.*)$/s.exec(line);
      return match?.[1] === stream ? [match[2]!] : [];
    });
  const folders = [machine.places.work(spec.component, spec.pipeline)];
  const parsed =
    parseErrorText(textOf('e').join('\n'), folders) ?? parseErrorText(textOf('o').join('\n'), folders);
  return parsed === null ? null : { ...parsed, tail };
}

/** What we could not do for the step. What may work later is tried again for a while, and spends no retry. */
function errorBeforeStart(error: unknown): StepError {
  if (error instanceof StepErrorThrown) return error.error;
  if (error instanceof OperationalError) {
    return {
      code: error.code,
      message: error.hint === undefined ? error.message : `${error.message} (${error.hint})`,
      failureClass: error.next === 'stalled' ? 'config' : 'environment',
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  return {
    code: 'INTERNAL',
    message: `the step could not be prepared: ${message}`,
    failureClass: 'environment',
  };
}

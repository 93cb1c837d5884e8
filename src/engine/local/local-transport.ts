import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { StepRef } from '../../plan/step-spec.ts';
import { type AdvanceRun, createRunDriver, type RunDriverDeps } from '../run-driver.ts';
import { adoptStep, runStep } from '../run-step.ts';
import type { StepControl, StepEnd, StepMachine } from '../step-machine.ts';
import type { StepTransport } from '../step-transport.ts';
import {
  readExit,
  readStepDir,
  removeStepDir,
  revokeLease,
  stepDirOf,
  stepIdOf,
  wasSpawned,
} from './step-dir.ts';
import { killStragglers } from './stragglers.ts';
import { awaitSupervisor } from './supervisor.ts';

export interface LocalTransport extends StepTransport {
  /**
   * After a start, before anything is dispatched: takes over the attempts that an earlier life of this service left, and
   * ends what belongs to none.
   */
  adopt(): Promise<{ readonly adopted: number; readonly lost: number }>;
}

export interface LocalTransportOptions {
  readonly machine: StepMachine;
  readonly advance: AdvanceRun;
  readonly priorities: RunDriverDeps['priorities'];
  /** Steps at once, for show. */
  readonly slots: number;
  readonly version: string;
}

interface Attempt {
  readonly ref: StepRef;
  readonly cancel: AbortController;
  readonly terminate: AbortController;
  readonly kill: AbortController;
  readonly leave: AbortController;
  readonly fenced: AbortController;
  /** Its process is over, or left to itself. */
  readonly done: Promise<unknown>;
  renewedAt: number;
}

/** A step that could not be carried on, or is not ours, is looked at again after this time. */
const REFUSED_MS = 1_000;

/** Steps as child processes of this service, each under a supervisor that outlives it. */
export function createLocalTransport({
  machine,
  advance,
  priorities,
  slots,
  version,
}: LocalTransportOptions): LocalTransport {
  const { clock, logger, steps } = machine;
  const attempts = new Map<string, Attempt>();
  /** Attempts that were begun in this life of the service and have not ended: one that is begun again is gone on with. */
  const begun = new Set<string>();
  /** Attempts, and what is to be cleaned up behind them. */
  const ending = new Set<Promise<void>>();
  const driver = createRunDriver({
    clock,
    logger,
    priorities,
    async advance(runId) {
      await renewAfterSleep(runId);
      return advance(runId);
    },
    onAdvanced({ plan, dispatch, cancel }) {
      const inFlight = new Set(dispatch.map(stepIdOf));
      for (const { ref, fenced } of ofRun(plan.runId)) if (!inFlight.has(stepIdOf(ref))) fenced.abort();
      for (const ref of dispatch) beginOrResume(ref);
      for (const ref of cancel) attempts.get(stepIdOf(ref))?.cancel.abort();
    },
  });
  let isClosed = false;

  function ofRun(runId: string): Attempt[] {
    return [...attempts.values()].filter((attempt) => attempt.ref.runId === runId);
  }

  /** A machine that slept has leases that ran out under living processes; nobody else can have begun their steps. */
  async function renewAfterSleep(runId: string): Promise<void> {
    for (const attempt of ofRun(runId)) {
      if (clock.now() - attempt.renewedAt < attempt.ref.leaseTtlMs / 2) continue;
      attempt.renewedAt = clock.now();
      await steps.renew(attempt.ref, machine.holder);
    }
  }

  function beginOrResume(ref: StepRef): void {
    const wasBegun = begun.has(stepIdOf(ref));
    // Never two live attempts of a step: the one before is fenced, and its process has to be over.
    const before = ofRun(ref.runId).filter((attempt) => attempt.ref.stepKey === ref.stepKey);
    begin(ref, async (control) => {
      await Promise.all(before.map((attempt) => attempt.done));
      if (!wasBegun) return runStep(ref, machine, control);
      const spec = await steps.spec(ref);
      if ((await steps.acquire(spec.ref, machine.holder)) !== 'ok') return 'refused';
      return adoptStep(spec, machine, control);
    });
  }

  function begin(ref: StepRef, run: (control: StepControl) => Promise<StepEnd>): void {
    const id = stepIdOf(ref);
    if (isClosed || attempts.has(id)) return;
    const dir = stepDirOf(machine.places.steps, ref);
    const control = {
      cancel: new AbortController(),
      terminate: new AbortController(),
      kill: new AbortController(),
      leave: new AbortController(),
      fenced: new AbortController(),
    };
    const end = run({
      cancel: control.cancel.signal,
      terminate: control.terminate.signal,
      kill: control.kill.signal,
      leave: control.leave.signal,
      fenced: control.fenced.signal,
    }).catch((error: unknown): StepEnd => {
      logger.error({ err: error, run_id: ref.runId, step: ref.stepKey }, 'a step could not be carried on');
      return 'left';
    });
    const done = end
      .then(async (how) => {
        if (how !== 'finished' && !isClosed) {
          await clock.sleepUntil(clock.now() + REFUSED_MS, control.leave.signal);
        }
        attempts.delete(id);
        driver.wake(ref.runId);
        if (how === 'left') return;
        begun.delete(id);
        if (how !== 'refused') await removeStepDir(dir.path);
      })
      .catch((error: unknown) => {
        logger.warn({ err: error, dir: dir.path }, 'the folder of a step could not be removed');
      })
      .finally(() => ending.delete(done));
    begun.add(id);
    attempts.set(id, { ref, ...control, done: end, renewedAt: clock.now() });
    ending.add(done);
  }

  return {
    start: (runId) => Promise.resolve(driver.start(runId) ? 'started' : 'exists'),
    dispatch(ref) {
      beginOrResume(ref);
      return Promise.resolve();
    },
    cancel(ref) {
      attempts.get(stepIdOf(ref))?.cancel.abort();
      return Promise.resolve();
    },
    wake(runId) {
      driver.wake(runId);
      return Promise.resolve();
    },
    capacity: () =>
      Promise.resolve([
        {
          id: machine.holder,
          labels: ['default'],
          volumes: ['local'],
          slots,
          used: attempts.size,
          version,
          lastSeen: clock.now(),
        },
      ]),
    adopt,
    async close({ graceMs, endSteps }) {
      isClosed = true;
      await driver.close();
      const all = [...attempts.values()];
      if (!endSteps) for (const { leave } of all) leave.abort();
      else for (const { terminate } of all) terminate.abort();
      const ended = Promise.all(ending);
      const grace = new AbortController();
      await Promise.race([ended, clock.sleepUntil(clock.now() + graceMs, grace.signal)]);
      grace.abort();
      for (const { kill } of all) kill.abort();
      await ended;
    },
  };

  async function adopt(): Promise<{ adopted: number; lost: number }> {
    const counts = { adopted: 0, lost: 0 };
    const wanted = new Set<string>();
    for (const lease of await steps.leases()) {
      // Dispatched and never begun: the run's next look starts it.
      if (lease.holder === '') continue;
      if ((await steps.takeOver(lease.ref, lease.holder, machine.holder)) !== 'ok') continue;
      const { ref } = lease;
      wanted.add(stepDirOf(machine.places.steps, ref).path);
      const spec = await steps.spec(ref);
      const isLost = await isWithoutProcess(ref);
      counts[isLost ? 'lost' : 'adopted'] += 1;
      begin(ref, (control) => adoptStep(spec, machine, control));
      if (lease.cancel) attempts.get(stepIdOf(ref))?.cancel.abort();
    }
    await removeOrphans(wanted);
    return counts;
  }

  /** Its process was started, and neither lives nor left a result. */
  async function isWithoutProcess(ref: StepRef): Promise<boolean> {
    const dir = stepDirOf(machine.places.steps, ref);
    return wasSpawned(dir) && readExit(dir) === null && (await awaitSupervisor(dir)) === null;
  }

  /** Folders of attempts that hold no lease: their result is recorded, or another attempt took their place. */
  async function removeOrphans(wanted: ReadonlySet<string>): Promise<void> {
    for (const name of list(machine.places.steps)) {
      const path = join(machine.places.steps, name);
      if (wanted.has(path)) continue;
      const dir = readStepDir(path);
      if (dir !== null) {
        revokeLease(dir);
        (await awaitSupervisor(dir))?.terminate();
        await killStragglers(dir.stepId);
      }
      await removeStepDir(path);
    }
  }
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

import type { PreparedStep } from './prepare-step.ts';
import { readExit, readSupervisor, revokeLease, type StepDir } from './step-dir.ts';
import { killStragglers } from './stragglers.ts';
import {
  awaitSupervisor,
  isOfOneLine,
  markSupervised,
  type SupervisedCommand,
  type SupervisorProcess,
  startSupervisor,
  supervisorAt,
} from './supervisor.ts';
import type { WarmServer } from './warm/warm-server.ts';

/**
 * Starts the supervisor of a prepared attempt: forked from a server that has the tool imported, else as a program of its
 * own. Rejects if it cannot be started at all.
 */
export async function startAttempt(prepared: PreparedStep, dir: StepDir): Promise<SupervisorProcess> {
  const { warm, command } = prepared;
  markSupervised(dir, command);
  const forked = warm === null ? null : await forkSupervisor(warm, dir, command);
  if (forked !== null) return forked;
  return startSupervisor(prepared.basePython, prepared.supervisor, dir, command);
}

/** Null: it was not forked, and the attempt can be started in another way. */
async function forkSupervisor(
  server: WarmServer,
  dir: StepDir,
  command: SupervisedCommand,
): Promise<SupervisorProcess | null> {
  const identity = await server.fork({
    dir: dir.path,
    cwd: command.cwd,
    argv: command.argv,
    env: command.env,
    redact: command.secretForms.filter(isOfOneLine),
  });
  if (identity !== null) {
    return supervisorAt(dir, identity, (listener) => server.onGone(identity.pid, listener));
  }
  // The server died over it. What it forked nevertheless is this attempt, and must not get company.
  const found = await awaitSupervisor(dir);
  if (found !== null) return found;
  revokeLease(dir);
  const killed = await killStragglers(dir.stepId);
  if (killed > 0 || readSupervisor(dir) !== null || readExit(dir) !== null) return goneSupervisor();
  markSupervised(dir, command);
  return null;
}

/** Whoever follows it reads what it left, or finds the attempt lost. */
function goneSupervisor(): SupervisorProcess {
  return {
    isGone: () => Promise.resolve(true),
    cancel: () => undefined,
    terminate: () => undefined,
    onGone: (listener) => listener(),
  };
}

import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Limits } from '../../discovery/pipeline-config.ts';
import { isAlive, type ProcessIdentity } from './process-identity.ts';
import { markSpawn, readSupervisor, requestCancel, type StepDir } from './step-dir.ts';
import { processesByStep } from './stragglers.ts';

export interface SupervisedLimits extends Limits {
  /** Folder of the group that keeps them; null: there is none, because of `cgroupProblem`. */
  readonly cgroup: string | null;
  readonly cgroupProblem: string | null;
}

export interface SupervisedCommand {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly cancelSignal: 'SIGTERM' | 'SIGINT';
  readonly graceMs: number;
  readonly timeoutMs: number | null;
  readonly leaseTtlMs: number;
  /** Null: none. */
  readonly limits: SupervisedLimits | null;
  /** Texts to be masked in the output, one line each. */
  readonly secretForms: readonly string[];
}

const LOG_CAP_BYTES = 100 * 1024 * 1024;
/** Linux takes at most 128 KiB for one variable. */
const LARGEST_VARIABLE = 100_000;
/** The supervisor gives up before the engine does, so that the tree is gone when another attempt may start. */
const SHARE_OF_LEASE = 0.9;
const LONGEST_START_MS = 3_000;
const LOOK_MS = 20;

/** The supervisor of an attempt as this process sees it: its child, or one that an earlier service started. */
export interface SupervisorProcess {
  /** True once it is known to be gone; `exit.json` then is there or will never be. */
  isGone(): Promise<boolean>;
  /** The tool's own signal, and SIGKILL after the grace time. */
  cancel(): void;
  /** For the service's own end: the attempt ends in the same way, and counts as lost. */
  terminate(): void;
  onGone(listener: () => void): void;
}

/** Writes what the supervisor of an attempt is to keep: from then on a process of the attempt may exist. */
export function markSupervised(dir: StepDir, command: SupervisedCommand): void {
  markSpawn(dir, {
    cancel_signal: command.cancelSignal,
    grace_seconds: command.graceMs / 1000,
    timeout_seconds: command.timeoutMs === null ? null : command.timeoutMs / 1000,
    lease_ttl_seconds: (command.leaseTtlMs / 1000) * SHARE_OF_LEASE,
    log_cap_bytes: LOG_CAP_BYTES,
    limits: command.limits === null ? null : limitSettings(command.limits),
  });
}

/**
 * Starts the supervisor of a marked attempt, which starts the step's process. Resolves when the operating system has taken
 * it; rejects if it cannot be started at all.
 */
export async function startSupervisor(
  python: string,
  script: string,
  dir: StepDir,
  command: SupervisedCommand,
): Promise<SupervisorProcess> {
  const errors = openSync(join(dir.path, 'supervisor.err'), 'w', 0o600);
  try {
    const child = spawn(python, ['-I', '-S', script, dir.path, ...command.argv], {
      cwd: command.cwd,
      env: { ...command.env, ...redactVariables(command.secretForms) },
      // A session of its own: it outlives this service, and a Ctrl+C at the terminal does not reach it.
      detached: true,
      stdio: ['ignore', errors, errors],
    });
    const listeners: (() => void)[] = [];
    let isOver = false;
    child.once('exit', () => {
      isOver = true;
      for (const listener of listeners) listener();
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.on('error', () => undefined);
    child.unref();
    return {
      isGone: () => Promise.resolve(isOver),
      cancel: () => signalToStop(dir, () => child.kill('SIGTERM'), true),
      terminate: () => signalToStop(dir, () => child.kill('SIGTERM'), false),
      onGone: (listener) => void listeners.push(listener),
    };
  } finally {
    closeSync(errors);
  }
}

function limitSettings(limits: SupervisedLimits): Readonly<Record<string, unknown>> {
  return {
    memory_bytes: limits.memoryBytes ?? null,
    cpus: limits.cpus ?? null,
    cpu_seconds: limits.cpuTimeSeconds ?? null,
    cgroup: limits.cgroup,
    cgroup_problem: limits.cgroupProblem,
  };
}

/** A supervisor that an earlier service started; null if it is not alive. */
async function findSupervisor(dir: StepDir): Promise<SupervisorProcess | null> {
  const identity = readSupervisor(dir);
  // Not our child: whoever waits has to look.
  return identity !== null && (await isAlive(identity)) ? supervisorAt(dir, identity, () => undefined) : null;
}

/** A supervisor that is not a child of this process, by its identity. */
export function supervisorAt(
  dir: StepDir,
  identity: ProcessIdentity,
  onGone: SupervisorProcess['onGone'],
): SupervisorProcess {
  async function kill(): Promise<void> {
    if (await isAlive(identity)) process.kill(identity.pid, 'SIGTERM');
  }
  return {
    isGone: async () => !(await isAlive(identity)),
    cancel: () => signalToStop(dir, () => void kill().catch(() => undefined), true),
    terminate: () => signalToStop(dir, () => void kill().catch(() => undefined), false),
    onGone,
  };
}

/**
 * The same, but for one that was started just before its service died and has not yet said who it is: it is waited for
 * as long as a process of the attempt is there.
 */
export async function awaitSupervisor(dir: StepDir): Promise<SupervisorProcess | null> {
  for (let waited = 0; readSupervisor(dir) === null && waited < LONGEST_START_MS; waited += LOOK_MS) {
    if (!(await processesByStep()).has(dir.stepId)) break;
    await delay(LOOK_MS);
  }
  return findSupervisor(dir);
}

function signalToStop(dir: StepDir, kill: () => void, isCancel: boolean): void {
  try {
    // The file says what the signal means; the supervisor finds it also if the signal is lost.
    if (isCancel) requestCancel(dir);
    kill();
  } catch {
    // It ended by itself.
  }
}

function redactVariables(forms: readonly string[]): Record<string, string> {
  const variables: Record<string, string> = {};
  let chunk = '';
  for (const form of forms.filter(isOfOneLine)) {
    if (chunk.length + form.length > LARGEST_VARIABLE) flush();
    chunk += `${form}\n`;
  }
  flush();
  return variables;

  function flush(): void {
    if (chunk !== '') variables[`ELT_REDACT_${Object.keys(variables).length}`] = chunk;
    chunk = '';
  }
}

/** Output is masked line by line. */
export function isOfOneLine(form: string): boolean {
  return !form.includes('\n') && !form.includes('\0');
}

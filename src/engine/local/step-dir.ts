import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { LogRef } from '../../store/log-store.ts';
import type { ProcessExit } from '../step-outcome.ts';
import type { ProcessIdentity } from './process-identity.ts';

/**
 * The private folder of one attempt, `0700`:
 * supervise.json, lease, cancel (we tell the supervisor) · supervisor.json, output.log, exit.json (it tells us) ·
 * events.jsonl (the step tells us) · home. From `supervise.json` on, which says whose it is, a process of the attempt may
 * exist.
 */
export interface StepDir {
  readonly path: string;
  readonly ref: LogRef;
  /** In the environment of every process of the attempt. */
  readonly stepId: string;
  readonly events: string;
  readonly output: string;
  readonly home: string;
}

export interface Supervised extends ProcessIdentity {
  readonly childPid: number;
}

const SUPERVISE = 'supervise.json';
const RefSchema = z
  .object({ run_id: z.string(), step_key: z.string(), attempt: z.number() })
  .transform(({ run_id: runId, step_key: stepKey, attempt }) => ({ runId, stepKey, attempt }));

const SupervisorSchema = z.object({
  pid: z.number(),
  start_time: z.string(),
  boot_id: z.string(),
  child_pid: z.number(),
});

const ExitSchema = z.object({
  reason: z.enum(['exited', 'cancelled', 'timeout', 'limit', 'lease_expired', 'terminated', 'spawn_failed']),
  message: z.string(),
  exit_code: z.number().nullable(),
  signal: z.string().nullable(),
  forced: z.boolean(),
  seconds: z.number(),
  max_rss_kb: z.number().nullable(),
  // Absent in what the supervisor of an earlier release wrote.
  cpu_seconds: z.number().optional(),
  limit: z
    .object({ name: z.enum(['memory', 'cpu_time']), limit: z.number(), used: z.number() })
    .nullable()
    .default(null),
  limits_by: z.enum(['cgroup', 'rlimit']).nullable().default(null),
  oom_killed: z.boolean().default(false),
});

export function stepIdOf(ref: LogRef): string {
  return `${ref.runId}/${ref.stepKey}/${ref.attempt}`;
}

export function stepDirOf(steps: string, ref: LogRef): StepDir {
  // A step key is people's text; its digest is a safe name.
  const key = createHash('sha256').update(ref.stepKey).digest('hex').slice(0, 12);
  return openDir(join(steps, `${ref.runId}.${key}.${ref.attempt}`), ref);
}

/** The folder that somebody left at `path`; null if no process was ever started for it. */
export function readStepDir(path: string): StepDir | null {
  const ref = RefSchema.safeParse(readJson(join(path, SUPERVISE)));
  return ref.success ? openDir(path, ref.data) : null;
}

export function createStepDir(dir: StepDir): void {
  rmSync(dir.path, { recursive: true, force: true });
  mkdirSync(dir.home, { recursive: true, mode: 0o700 });
  writePrivate(dir.events, '');
  writePrivate(dir.output, '');
}

export function writePrivate(path: string, content: string): void {
  writeFileSync(path, content, { mode: 0o600 });
}

/** From now on a process of this attempt may exist. `settings` is what the supervisor is to keep (`elt_supervisor.py`). */
export function markSpawn(dir: StepDir, settings: Readonly<Record<string, unknown>>): void {
  const { runId, stepKey, attempt } = dir.ref;
  writePrivate(join(dir.path, 'lease'), '');
  const temporary = join(dir.path, `${SUPERVISE}.tmp`);
  writePrivate(temporary, JSON.stringify({ run_id: runId, step_key: stepKey, attempt, ...settings }));
  renameSync(temporary, join(dir.path, SUPERVISE));
}

export function wasSpawned(dir: StepDir): boolean {
  return existsSync(join(dir.path, SUPERVISE));
}

/** Tells the supervisor that somebody still wants the attempt. */
export function touchLease(dir: StepDir): void {
  const now = new Date();
  try {
    utimesSync(join(dir.path, 'lease'), now, now);
  } catch {
    // Not spawned yet, or cleaned up already.
  }
}

/** A supervisor that finds no lease ends its tree at once; one that starts late does not start it. */
export function revokeLease(dir: StepDir): void {
  rmSync(join(dir.path, 'lease'), { force: true });
}

export function requestCancel(dir: StepDir): void {
  writePrivate(join(dir.path, 'cancel'), '');
}

export function readSupervisor(dir: StepDir): Supervised | null {
  const parsed = SupervisorSchema.safeParse(readJson(join(dir.path, 'supervisor.json')));
  if (!parsed.success) return null;
  const { pid, start_time: startTime, boot_id: bootId, child_pid: childPid } = parsed.data;
  return { pid, startTime, bootId, childPid };
}

export function readExit(dir: StepDir): ProcessExit | null {
  const parsed = ExitSchema.safeParse(readJson(join(dir.path, 'exit.json')));
  if (!parsed.success) return null;
  const { reason, message, exit_code: exitCode, signal, forced, seconds, max_rss_kb: maxRssKb } = parsed.data;
  const { cpu_seconds: cpuSeconds, limit, limits_by: limitsBy, oom_killed: isOomKilled } = parsed.data;
  return {
    reason,
    message,
    exitCode,
    signal,
    forced,
    seconds,
    maxRssKb,
    ...(cpuSeconds === undefined ? {} : { cpuSeconds }),
    passedLimit: limit,
    limitsBy,
    isOomKilled,
  };
}

export async function removeStepDir(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}

function openDir(path: string, ref: LogRef): StepDir {
  return {
    path,
    ref,
    stepId: stepIdOf(ref),
    events: join(path, 'events.jsonl'),
    output: join(path, 'output.log'),
    home: join(path, 'home'),
  };
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}

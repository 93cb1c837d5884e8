import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Where an attempt's limits can be kept by the kernel for all of its processes together (`docs/limits.md`). */
export interface Cgroups {
  /** Folder of the group to be made for an attempt; null if none can be. */
  groupOf(stepId: string): string | null;
  /** Why none can be made; null if they can. */
  problem(): string | null;
}

const SERVICE_GROUP = 'elt-service';
const STEP_GROUP = 'elt-step-';

/**
 * Groups below the service's own one (cgroup v2), if that was given to it whole: `Delegate=yes` of systemd, or a
 * container with a group of its own. Looked for, and the service moved aside, when the first step with limits asks: a
 * group that has groups below it may hold no process itself.
 * @param proc another `/proc` for tests
 */
export function createCgroups(proc = '/proc'): Cgroups {
  let found: { readonly dir: string } | { readonly problem: string } | null = null;

  function look(): { readonly dir: string } | { readonly problem: string } {
    try {
      found ??= { dir: prepare(proc) };
    } catch (error) {
      found = { problem: error instanceof Error ? error.message : String(error) };
    }
    return found;
  }

  return {
    groupOf(stepId) {
      const result = look();
      if ('problem' in result) return null;
      const name = createHash('sha256').update(stepId).digest('hex').slice(0, 16);
      return join(result.dir, `${STEP_GROUP}${name}`);
    },
    problem() {
      const result = look();
      return 'problem' in result ? result.problem : null;
    },
  };
}

/** @returns the folder in which groups of steps are made; throws what is in the way */
function prepare(proc: string): string {
  const own = ownGroup(proc);
  const isMoved = basename(own) === SERVICE_GROUP;
  const dir = isMoved ? dirname(own) : own;
  const controllers = words(join(dir, 'cgroup.controllers'));
  if (!controllers.includes('memory'))
    throw new Error('the kernel keeps no memory limits in cgroups v2 here');
  for (const name of ['.', 'cgroup.procs', 'cgroup.subtree_control']) {
    try {
      accessSync(join(dir, name), constants.W_OK);
    } catch {
      throw new Error(`the service may make no groups in ${dir} (systemd: Delegate=yes)`);
    }
  }
  const enabled = words(join(dir, 'cgroup.subtree_control'));
  // The root alone may hold processes and groups that have controllers.
  const isRoot = !existsSync(join(dir, 'cgroup.type'));
  if (!enabled.includes('memory') && !isRoot) moveAside(proc, dir);
  for (const name of ['memory', 'cpu']) {
    if (enabled.includes(name) || !controllers.includes(name)) continue;
    writeFileSync(join(dir, 'cgroup.subtree_control'), `+${name}`);
  }
  removeEmptied(dir);
  return dir;
}

function ownGroup(proc: string): string {
  const mount = lines(join(proc, 'self/mountinfo'))
    .map((line) => line.split(' '))
    .find((fields) => fields[fields.indexOf('-') + 1] === 'cgroup2');
  const path = lines(join(proc, 'self/cgroup'))
    .find((line) => line.startsWith('0::'))
    ?.slice('0::'.length);
  if (mount === undefined || path === undefined) throw new Error('there are no cgroups v2 here');
  const [, , , root, point] = mount;
  return join(point!, root !== '/' && path.startsWith(root!) ? path.slice(root!.length) : path);
}

/** Moves this process and its children into a group of their own. A group that others use too is left alone. */
function moveAside(proc: string, dir: string): void {
  const pids = words(join(dir, 'cgroup.procs')).map(Number);
  const foreign = pids.find((pid) => !isOurs(proc, pid));
  if (foreign !== undefined)
    throw new Error(`the service shares its cgroup with other processes (${foreign})`);
  mkdirSync(join(dir, SERVICE_GROUP), { recursive: true });
  for (const pid of pids) writeFileSync(join(dir, SERVICE_GROUP, 'cgroup.procs'), String(pid));
}

function isOurs(proc: string, pid: number): boolean {
  for (let above = pid; above > 1; above = parentOf(proc, above)) if (above === process.pid) return true;
  return false;
}

function parentOf(proc: string, pid: number): number {
  try {
    const stat = readFileSync(join(proc, String(pid), 'stat'), 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return 0;
  }
}

/** A supervisor that was killed could not remove its group. One that is in use cannot be removed, and is not. */
function removeEmptied(dir: string): void {
  for (const name of readdirSync(dir)) {
    if (!name.startsWith(STEP_GROUP)) continue;
    try {
      rmdirSync(join(dir, name));
    } catch {
      // A step that outlived an earlier service runs in it.
    }
  }
}

function words(file: string): string[] {
  return readText(file)
    .split(/\s+/)
    .filter((word) => word !== '');
}

function lines(file: string): string[] {
  return readText(file).split('\n');
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

/** A process, told apart from a later one with the same pid; the supervisor writes it (`supervisor.json`). */
export interface ProcessIdentity {
  readonly pid: number;
  /** Ticks since boot on Linux, the text of `ps -o lstart=` elsewhere. */
  readonly startTime: string;
  /** '' where the system has none. */
  readonly bootId: string;
}

/** Whether exactly this process lives. A zombie does not. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  if (identity.bootId !== bootId()) return false;
  return (await startTimeOf(identity.pid)) === identity.startTime;
}

export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

async function startTimeOf(pid: number): Promise<string | null> {
  if (process.platform !== 'linux') {
    const found = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => null);
    return found?.stdout.trim() || null;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program stands in brackets and can hold anything; the fields count from behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

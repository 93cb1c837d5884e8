import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const VARIABLE = 'ELT_STEP_ID=';
const ROUNDS = 100;
const ROUND_MS = 20;

/** Process ids by the step id that they carry in their environment, whoever started them. */
export async function processesByStep(): Promise<ReadonlyMap<string, readonly number[]>> {
  const found = new Map<string, number[]>();
  for (const [pid, stepId] of process.platform === 'linux' ? fromProc() : await fromPs()) {
    const pids = found.get(stepId) ?? [];
    pids.push(pid);
    found.set(stepId, pids);
  }
  return found;
}

/**
 * Kills every process of a step, also those that left its session and its process group; returns when none is left.
 * Only for attempts that nobody supervises any more.
 */
export async function killStragglers(stepId: string): Promise<number> {
  const killed = new Set<number>();
  for (let round = 0; round < ROUNDS; round++) {
    const pids = (await processesByStep()).get(stepId) ?? [];
    for (const pid of pids) {
      killed.add(pid);
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself.
      }
    }
    // One that is just dying has no environment any more, but may still hold its files and their locks.
    if (pids.length === 0 && ![...killed].some(isDying)) return killed.size;
    await delay(ROUND_MS);
  }
  return killed.size;
}

function isDying(pid: number): boolean {
  const stat = readFile(`/proc/${pid}/stat`);
  return stat !== '' && !['Z', 'X'].includes(stat[stat.lastIndexOf(')') + 2]!);
}

function* fromProc(): Iterable<[number, string]> {
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const stepId = stepIdOf(readFile(`/proc/${pid}/environ`).split('\0'));
    // A zombie has no environment left, so that it is never in the list.
    if (stepId !== null) yield [pid, stepId];
  }
}

async function fromPs(): Promise<[number, string][]> {
  const { stdout } = await promisify(execFile)('ps', ['-axEww', '-o', 'pid=,command='], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.split('\n').flatMap((line): [number, string][] => {
    const [pid, ...words] = line.trim().split(' ');
    const stepId = stepIdOf(words);
    return stepId === null || Number(pid) === process.pid ? [] : [[Number(pid), stepId]];
  });
}

function stepIdOf(variables: readonly string[]): string | null {
  const found = variables.find((variable) => variable.startsWith(VARIABLE));
  return found === undefined ? null : found.slice(VARIABLE.length);
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

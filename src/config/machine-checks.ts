import { execFile } from 'node:child_process';
import { access, constants, mkdir, statfs } from 'node:fs/promises';
import { promisify } from 'node:util';
import { roundedBytes } from '../lib/bytes.ts';
import type { HealthCheck } from '../lib/health-check.ts';

const run = promisify(execFile);
const LOW_DISK = 1e9;
const PYTHONS = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10'];

/** Whether this machine has what the service is made of: Node, Git, a Python. Runs `git` and `python3` once each. */
export async function toolChecks(): Promise<HealthCheck[]> {
  return [
    { name: 'node', status: 'ok', text: process.versions.node, fix: null },
    ...(await Promise.all([git(), python()])),
  ];
}

/** Whether the home can be written, and how much space is left where it lies. Makes the folder if it is not there. */
export async function homeChecks(dir: string): Promise<HealthCheck[]> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await access(dir, constants.W_OK);
    const { bavail, bsize } = await statfs(dir);
    const free = bavail * bsize;
    const isLow = free < LOW_DISK;
    return [
      { name: 'home', status: 'ok', text: dir, fix: null },
      {
        name: 'disk',
        status: isLow ? 'warning' : 'ok',
        text: `${roundedBytes(free)} free`,
        fix: isLow ? `free some space for ${dir}` : null,
      },
    ];
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return [{ name: 'home', status: 'failed', text, fix: 'set ELT_HOME to a folder that you may write' }];
  }
}

async function git(): Promise<HealthCheck> {
  try {
    const { stdout } = await run('git', ['--version']);
    return { name: 'git', status: 'ok', text: stdout.trim(), fix: null };
  } catch {
    return { name: 'git', status: 'failed', text: 'not found', fix: 'install git 2.30 or newer' };
  }
}

async function python(): Promise<HealthCheck> {
  for (const name of PYTHONS) {
    try {
      const { stdout } = await run(name, ['--version']);
      if (/^Python 3\.1[0-3]\./.test(stdout))
        return { name: 'python', status: 'ok', text: `${stdout.trim()} (${name})`, fix: null };
    } catch {
      // The next name.
    }
  }
  const fix = 'install one, for example python3.12';
  return { name: 'python', status: 'failed', text: 'no Python 3.10 to 3.13', fix };
}

import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { OperationalError } from '../../lib/errors.ts';

export interface BasePython {
  /** Absolute path of the real interpreter, behind shims of version managers. */
  readonly executable: string;
  /** `3.11.7` */
  readonly version: string;
  /** As packaging tools name it: `linux-x86_64`. */
  readonly platform: string;
}

/** What dlt and dbt support; said to the user when nothing fits. */
export const PYTHON_RANGE = 'Python 3.10 to 3.13';
const OLDEST_MINOR = 10;
const NEWEST_MINOR = 13;

/** The user's own `python3` first, then the newest; `python` last, it may be version 2. */
const NAMES = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'];

const PROBE = `import json, platform, sys, sysconfig
print(json.dumps({"executable": sys.executable, "version": platform.python_version(), "platform": sysconfig.get_platform()}))`;

/**
 * Finds an interpreter of the supported range on PATH.
 * @param env the service's environment; only PATH and HOME reach the candidates
 * @throws OperationalError PYTHON_NOT_FOUND naming the range and what was found instead
 */
export async function findPython(env: NodeJS.ProcessEnv): Promise<BasePython> {
  const refused: string[] = [];
  for (const candidate of await candidates(env)) {
    const python = await probePython(candidate, env);
    if (python === null) continue;
    if (isSupported(python.version)) return python;
    refused.push(`${python.version} at ${candidate}`);
  }
  const found = refused.length === 0 ? '' : `; found only ${refused.join(', ')}`;
  throw new OperationalError('PYTHON_NOT_FOUND', `${PYTHON_RANGE} was not found on PATH${found}`, {
    hint: `install one of them, for example with your system's package manager, and start again`,
  });
}

/** Asks an interpreter who it is; null if it does not start or is not Python 3. */
export async function probePython(executable: string, env: NodeJS.ProcessEnv): Promise<BasePython | null> {
  const { execa } = await import('execa');
  const result = await execa(executable, ['-I', '-S', '-c', PROBE], {
    env: { PATH: env.PATH, HOME: env.HOME, PYENV_ROOT: env.PYENV_ROOT, PYENV_VERSION: env.PYENV_VERSION },
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    timeout: 20_000,
  });
  if (result.exitCode !== 0) return null;
  try {
    return JSON.parse(result.stdout) as BasePython;
  } catch {
    return null;
  }
}

export function isSupported(version: string): boolean {
  const [major, minor] = version.split('.').map(Number);
  return major === 3 && minor !== undefined && minor >= OLDEST_MINOR && minor <= NEWEST_MINOR;
}

/**
 * Whether a version fulfils a specifier such as `>=3.10`, `>=3.10,<3.13`, `==3.11.*`, `~=3.11` or plain `3.12` (PEP 440,
 * release segments only).
 * @returns null if the specifier cannot be read
 */
export function satisfies(version: string, specifier: string): boolean | null {
  let fulfilled = true;
  for (const part of specifier.split(',').map((text) => text.trim())) {
    if (part === '') continue;
    const match = /^(>=|<=|==|!=|~=|>|<)?\s*(\d+(?:\.\d+)*)(\.\*)?$/.exec(part);
    if (match === null) return null;
    const [, operator, wanted = '', star] = match;
    if (!holds(segments(version), operator ?? 'prefix', segments(wanted), star !== undefined))
      fulfilled = false;
  }
  return fulfilled;
}

function holds(version: number[], operator: string, wanted: number[], star: boolean): boolean {
  const order = compare(version, wanted);
  const isPrefix = wanted.every((segment, index) => version[index] === segment);
  switch (operator) {
    case 'prefix':
      return isPrefix;
    case '==':
      return star ? isPrefix : order === 0;
    case '!=':
      return star ? !isPrefix : order !== 0;
    case '~=':
      return order >= 0 && wanted.slice(0, -1).every((segment, index) => version[index] === segment);
    case '>=':
      return order >= 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0 && !isPrefix;
    default:
      return order < 0;
  }
}

function segments(version: string): number[] {
  return version.split('.').map((segment) => Number.parseInt(segment, 10));
}

function compare(a: number[], b: number[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

async function candidates(env: NodeJS.ProcessEnv): Promise<string[]> {
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const found: string[] = [];
  for (const name of NAMES) {
    for (const folder of folders) {
      const path = join(folder, name);
      if (await isExecutable(path)) found.push(path);
    }
  }
  return found;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { OperationalError } from '../../lib/errors.ts';
import { invariant } from '../../lib/invariant.ts';
import { toolReason } from './tool-reason.ts';

export interface UvPlaces {
  /** Checkout or installed package: holds `python/`. */
  readonly root: string;
  /** Where our own copy is kept, one folder per version. */
  readonly uvDir: string;
}

/**
 * The uv to build with, first that is there: one of the pinned minor version on PATH; our own copy; a copy that pip
 * installs into a folder (works on externally managed Pythons and without ensurepip); the wheel, loaded with the standard
 * library and checked against the pinned digests.
 * @param python a base interpreter
 * @param env for package tools, see `package-index.ts`
 * @throws OperationalError ENVIRONMENT_FAILED with the reason of the last way
 */
export async function findUv(places: UvPlaces, python: string, env: Record<string, string>): Promise<string> {
  const pins = join(places.root, 'python/requirements/uv.sha256');
  const version = await pinnedVersion(pins);
  if ((await versionOf('uv', env))?.startsWith(minorOf(version))) return 'uv';
  const target = join(places.uvDir, version);
  const uv = join(target, 'bin/uv');
  if (existsSync(uv)) return uv;

  await mkdir(places.uvDir, { recursive: true });
  const reasons: string[] = [];
  for (const way of ['pip', 'wheel'] as const) {
    const temporary = `${target}.tmp-${process.pid}-${way}`;
    const argv =
      way === 'pip'
        ? ['-I', '-m', 'pip', 'install', '--quiet', '--no-deps', '--only-binary', ':all:'].concat([
            '--target',
            temporary,
            `uv==${version}`,
          ])
        : ['-I', join(places.root, 'python/elt_runner/fetch_uv.py'), temporary, pins];
    const { execa } = await import('execa');
    const result = await execa(python, argv, { env, extendEnv: false, reject: false, stdin: 'ignore' });
    const works = result.exitCode === 0 && (await versionOf(join(temporary, 'bin/uv'), env)) === version;
    if (works) {
      // Somebody else may have been faster; both copies are the same.
      await rename(temporary, target).catch(() => rm(temporary, { recursive: true, force: true }));
      invariant(existsSync(uv), `${uv} was just put there`);
      return uv;
    }
    await rm(temporary, { recursive: true, force: true });
    reasons.push(toolReason(result.stderr) || `exit code ${String(result.exitCode)}`);
  }
  throw new OperationalError(
    'ENVIRONMENT_FAILED',
    `uv ${version} could not be installed: ${reasons.join('; ')}`,
    {
      next: 'retry',
      hint: 'check the package index (PIP_INDEX_URL, proxies), or put uv on PATH',
    },
  );
}

async function pinnedVersion(pins: string): Promise<string> {
  const match = /uv-(\d+\.\d+\.\d+)-/.exec(await readFile(pins, 'utf8'));
  invariant(match?.[1] !== undefined, `${pins} names no version of uv`);
  return match[1];
}

function minorOf(version: string): string {
  return `${version.split('.').slice(0, 2).join('.')}.`;
}

async function versionOf(uv: string, env: Record<string, string>): Promise<string | null> {
  const { execa } = await import('execa');
  const result = await execa(uv, ['--version'], { env, extendEnv: false, reject: false, stdin: 'ignore' });
  return /^uv (\S+)/.exec(result.stdout ?? '')?.[1] ?? null;
}

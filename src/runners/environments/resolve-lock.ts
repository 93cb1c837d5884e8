import { existsSync } from 'node:fs';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../../lib/digest.ts';
import { opaqueId } from '../../lib/ids.ts';
import type { BasePython } from './find-python.ts';
import type { FolderRequirements } from './requirements.ts';
import { toolFailure } from './tool-failure.ts';

/** Changes when equal requirements would be resolved in another way. */
const FORMAT = 1;

export interface LockTools {
  readonly uv: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The lock of a requirements file or of a project: resolved once per content and stored, so that a release upstream
 * changes no run.
 * @param locksDir where locks are kept
 * @param tools asked for only if there is something to resolve
 * @throws OperationalError ENVIRONMENT_FAILED, for example if the requirements contradict each other
 */
export async function resolveLock(
  found: Extract<FolderRequirements, { inputsDigest: string }>,
  treeDir: string,
  python: BasePython,
  locksDir: string,
  tools: () => Promise<LockTools>,
  signal: AbortSignal,
): Promise<string> {
  const id = sha256([FORMAT, python.version, python.platform, found.kind, found.inputsDigest].join('\0'));
  const stored = join(locksDir, `${id.slice(0, 32)}.lock`);
  if (existsSync(stored)) return readFile(stored, 'utf8');
  const { uv, env } = await tools();
  const argv =
    found.kind === 'uv_lock'
      ? ['export', '--frozen', '--no-dev', '--no-emit-project', '--no-header', '--no-annotate']
      : [
          'pip',
          'compile',
          '--quiet',
          '--generate-hashes',
          '--no-header',
          '--no-annotate',
          '--only-binary',
          ':all:',
        ].concat(['--python', python.executable, found.file]);
  const { execa } = await import('execa');
  const resolved = await execa(uv, argv, {
    cwd: treeDir,
    env,
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    cancelSignal: signal,
  });
  if (resolved.exitCode !== 0) throw toolFailure(found.file, resolved.stderr ?? '');

  await mkdir(locksDir, { recursive: true });
  // Two resolutions at once can differ (a release in between): the first one that is stored holds for both.
  const temporary = `${stored}.${opaqueId()}.tmp`;
  await writeFile(temporary, `${resolved.stdout}\n`);
  try {
    await link(temporary, stored);
  } catch (error) {
    if (!existsSync(stored)) throw error;
  } finally {
    await rm(temporary);
  }
  return readFile(stored, 'utf8');
}

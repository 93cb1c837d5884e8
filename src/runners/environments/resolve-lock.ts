import { existsSync } from 'node:fs';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../../lib/digest.ts';
import { OperationalError } from '../../lib/errors.ts';
import { opaqueId } from '../../lib/ids.ts';
import type { BasePython } from './find-python.ts';
import type { FolderRequirements } from './requirements.ts';
import { toolFailure } from './tool-failure.ts';

/** Changes when equal requirements would be resolved in another way. */
const FORMAT = 1;
const LARGEST_REPORT = 100_000_000;

export interface LockTools {
  /** null: pip resolves. */
  readonly uv: string | null;
  readonly env: Readonly<Record<string, string>>;
}

export interface LockRequest {
  readonly treeDir: string;
  readonly python: BasePython;
  /** Where locks are kept. */
  readonly locksDir: string;
  readonly sourceBuilds: boolean;
  /** Asked for only if there is something to resolve. */
  readonly tools: () => Promise<LockTools>;
  readonly signal: AbortSignal;
}

/**
 * The lock of a requirements file or of a project: resolved once per content and stored, so that a release upstream
 * changes no run, nor does the tool that resolved it.
 * @throws OperationalError ENVIRONMENT_FAILED, for example if the requirements contradict each other
 */
export async function resolveLock(
  found: Extract<FolderRequirements, { inputsDigest: string }>,
  request: LockRequest,
): Promise<string> {
  const { python, locksDir } = request;
  const id = sha256(
    [FORMAT, python.version, python.platform, found.kind, found.inputsDigest]
      .concat(request.sourceBuilds ? ['source builds'] : [])
      .join('\0'),
  );
  const stored = join(locksDir, `${id.slice(0, 32)}.lock`);
  if (existsSync(stored)) return readFile(stored, 'utf8');
  const { uv, env } = await request.tools();
  const lock =
    uv === null ? await resolveWithPip(found, request, env) : await resolveWithUv(uv, found, request, env);

  await mkdir(locksDir, { recursive: true });
  // Two resolutions at once can differ (a release in between): the first one that is stored holds for both.
  const temporary = `${stored}.${opaqueId()}.tmp`;
  await writeFile(temporary, `${lock}\n`);
  try {
    await link(temporary, stored);
  } catch (error) {
    if (!existsSync(stored)) throw error;
  } finally {
    await rm(temporary);
  }
  return readFile(stored, 'utf8');
}

async function resolveWithUv(
  uv: string,
  found: Extract<FolderRequirements, { inputsDigest: string }>,
  request: LockRequest,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const common = ['--no-header', '--no-annotate'];
  const argv =
    found.kind === 'uv_lock'
      ? ['export', '--frozen', '--no-dev', '--no-emit-project', ...common]
      : ['pip', 'compile', '--quiet', '--generate-hashes', ...common]
          .concat(request.sourceBuilds ? [] : ['--only-binary', ':all:'])
          .concat(['--python', request.python.executable, found.file]);
  const { execa } = await import('execa');
  const resolved = await execa(uv, argv, {
    cwd: request.treeDir,
    env,
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    cancelSignal: request.signal,
  });
  if (resolved.exitCode !== 0) throw toolFailure(found.file, resolved.stderr ?? '');
  return resolved.stdout;
}

interface PipReport {
  readonly install: readonly {
    readonly metadata: { readonly name: string; readonly version: string };
    readonly download_info?: { readonly archive_info?: { readonly hashes?: { readonly sha256?: string } } };
  }[];
}

/** pip tells what it would install, with the digest of the one file that it would take. */
async function resolveWithPip(
  found: Extract<FolderRequirements, { inputsDigest: string }>,
  request: LockRequest,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  if (found.kind === 'uv_lock') {
    const hint = 'put uv on PATH, or commit a requirements.lock (uv export --frozen --no-dev)';
    throw new OperationalError('ENVIRONMENT_FAILED', 'uv.lock can only be read by uv, which cannot be had', {
      hint,
    });
  }
  const { execa } = await import('execa');
  const argv = ['-I', '-m', 'pip', 'install', '--quiet', '--dry-run', '--ignore-installed', '--report', '-']
    .concat(request.sourceBuilds ? [] : ['--only-binary', ':all:'])
    .concat(['-r', found.file]);
  const resolved = await execa(request.python.executable, argv, {
    cwd: request.treeDir,
    env,
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    cancelSignal: request.signal,
    maxBuffer: LARGEST_REPORT,
  });
  if (resolved.exitCode !== 0) throw toolFailure(found.file, resolved.stderr ?? '');
  const { install } = JSON.parse(resolved.stdout) as PipReport;
  const lines = install.map(({ metadata, download_info }) => {
    const sha256 = download_info?.archive_info?.hashes?.sha256;
    return `${metadata.name}==${metadata.version}${sha256 === undefined ? '' : ` --hash=sha256:${sha256}`}`;
  });
  return lines.sort().join('\n');
}

import { mkdir, readFile, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

export interface BuildStage {
  readonly name: string;
  /** Alternatives, in order: the first that exits with 0 ends the stage. */
  readonly commands: readonly (readonly string[])[];
}

export interface BuildJob {
  /** Absolute; rebuilt from nothing unless its `.ready` is there. */
  readonly directory: string;
  readonly stages: readonly BuildStage[];
  /** Content of `.ready`. */
  readonly ready: Readonly<Record<string, unknown>>;
}

export interface BuildTools {
  readonly python: string;
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Builds a directory in place under a lock that other processes honour and that dies with its holders
 * (`python/elt_runner/build_env.py`). The builder has a process group of its own: when the service is killed it finishes
 * its work, and the next start finds the directory ready.
 * @returns null if the directory is ready, else what the failing tool wrote to stderr
 */
export async function buildDirectory(
  job: BuildJob,
  tools: BuildTools,
  onStage: (stage: string) => void,
  signal: AbortSignal,
): Promise<string | null> {
  await mkdir(dirname(job.directory), { recursive: true });
  const { execa } = await import('execa');
  const child = execa(tools.python, ['-I', '-S', tools.script], {
    env: tools.env,
    extendEnv: false,
    reject: false,
    detached: true,
    cwd: dirname(job.directory),
    input: JSON.stringify({ ...job, lock: `${job.directory}.lock` }),
    maxBuffer: 1_000_000,
  });
  const kill = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
    } catch {
      // The group is gone already.
    }
  };
  if (signal.aborted) kill();
  signal.addEventListener('abort', kill, { once: true });
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => onStage((JSON.parse(line) as { stage: string }).stage));
  const result = await child;
  signal.removeEventListener('abort', kill);
  if (result.exitCode === 0) return null;
  return result.stderr === ''
    ? `the builder ended with ${result.signal ?? String(result.exitCode)}`
    : result.stderr;
}

/**
 * Marks a built directory as used just now, which keeps it from being collected.
 * @returns content of `.ready`; null if the directory is not (or no longer) ready
 */
export async function touchReady(directory: string): Promise<Record<string, unknown> | null> {
  const ready = join(directory, '.ready');
  const now = new Date();
  try {
    await utimes(ready, now, now);
    return JSON.parse(await readFile(ready, 'utf8')) as Record<string, unknown>;
  } catch {
    return null;
  }
}

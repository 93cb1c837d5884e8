import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EnvironmentConfig } from '../../discovery/pipeline-config.ts';
import { sha256 } from '../../lib/digest.ts';
import { OperationalError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import type { Environment, EnvironmentProgress, EnvironmentRequest, Environments } from '../environment.ts';
import { buildDirectory, touchReady } from './build-directory.ts';
import { buildStages } from './build-stages.ts';
import { removeIfUnused } from './collect-unused.ts';
import {
  type BasePython,
  findPython,
  isSupported,
  PYTHON_RANGE,
  probePython,
  satisfies,
} from './find-python.ts';
import { packageToolEnv } from './package-index.ts';
import { type FolderRequirements, normaliseRequirements, readRequirements } from './requirements.ts';
import { resolveLock } from './resolve-lock.ts';
import { findSling } from './sling-binary.ts';
import { toolFailure } from './tool-failure.ts';
import { findUv } from './uv.ts';

export interface EnvironmentsOptions {
  /** ELT_HOME: environments are kept in `envs/` of it, unless ELT_CACHE_DIR names a folder to share between homes. */
  readonly home: string;
  /** The product's own folder: `python/requirements` and `python/elt_runner` are below it. */
  readonly root: string;
  readonly logger: Logger;
  /** The service's environment; package tools see only what `package-index.ts` lets through. */
  readonly env: NodeJS.ProcessEnv;
}

export interface EnvironmentManager extends Environments {
  /**
   * Removes environments that nobody asked for since `olderThanMs`; the default and the Sling one stay.
   * @returns their keys
   */
  collectUnused(olderThanMs: number): Promise<readonly string[]>;
  /** Ends builds that are under way; they start over when they are next needed. */
  close(): Promise<void>;
}

/** Changes when the same lock would be built in another way. */
const FORMAT = 1;

interface Tools {
  readonly base: BasePython;
  /** null: uv cannot be had; pip then does its work. */
  readonly uv: string | null;
  readonly env: Record<string, string>;
}

interface Plan {
  readonly envKey: string;
  readonly python: BasePython;
  /** For people: `installing dlt, dbt and DuckDB (about 180 MB)`. */
  readonly message: string;
  readonly lock: string;
  /** Every line of the lock carries a digest, and an installation without one is refused. */
  readonly hashed: boolean;
  readonly compileBytecode: boolean;
  readonly sourceBuilds: boolean;
}

/** Python environments of this machine: see the port, `Environments`. Nothing is looked for or built before it is asked for. */
export function createEnvironments(options: EnvironmentsOptions): EnvironmentManager {
  const { root, logger, env } = options;
  const envsDir = join(env.ELT_CACHE_DIR || options.home, 'envs');
  const locksDir = join(envsDir, 'locks');
  const requirementsDir = join(root, 'python/requirements');
  const listeners = new Set<(progress: EnvironmentProgress) => void>();
  /** What is being built, and what failed last; what is ready stands on disk. */
  const current = new Map<string, EnvironmentProgress>();
  const builds = new Map<string, Promise<void>>();
  const closing = new AbortController();
  let tools: Promise<Tools> | null = null;
  let base: Promise<BasePython> | null = null;

  function report(progress: EnvironmentProgress): void {
    current.set(progress.envKey, progress);
    for (const listener of listeners) listener(progress);
  }

  function findBase(): Promise<BasePython> {
    base ??= findPython(env).catch((error: unknown) => {
      base = null;
      throw error;
    });
    return base;
  }

  /** Looked for again next time, if uv was not to be had: the reason may be gone. */
  function findTools(): Promise<Tools> {
    const asked = (tools ??= prepareTools());
    asked.then(
      ({ uv }) => {
        if (uv === null && tools === asked) tools = null;
      },
      () => {
        if (tools === asked) tools = null;
      },
    );
    return asked;
  }

  async function prepareTools(): Promise<Tools> {
    const python = await findBase();
    const toolEnv = await packageToolEnv(env, python.executable);
    try {
      const uv = await findUv({ root, uvDir: join(envsDir, 'uv') }, python.executable, toolEnv);
      return { base: python, uv, env: toolEnv };
    } catch (error) {
      if (!(error instanceof OperationalError) || !(await hasPip(python.executable, toolEnv))) throw error;
      logger.warn({ reason: error.message }, 'uv cannot be had: environments are built with pip');
      return { base: python, uv: null, env: toolEnv };
    }
  }

  async function choosePython(config: EnvironmentConfig): Promise<BasePython> {
    const found = await findBase();
    const wanted = config.python;
    const fits = wanted === undefined ? true : satisfies(found.version, wanted);
    if (wanted === undefined || fits === true) return found;
    const { uv, env: toolEnv } = await findTools();
    const other = uv === null ? null : await searchPython(uv, wanted, toolEnv);
    if (other !== null && isSupported(other.version)) return other;
    throw new OperationalError(
      'PYTHON_NOT_FOUND',
      `environment.python asks for ${wanted}, and no such interpreter within ${PYTHON_RANGE} is installed (found ${found.version})`,
      { hint: 'install it, or widen environment.python in dagster.yaml' },
    );
  }

  async function searchPython(
    uv: string,
    wanted: string,
    toolEnv: Record<string, string>,
  ): Promise<BasePython | null> {
    const { execa } = await import('execa');
    const search = await execa(uv, ['python', 'find', '--no-project', wanted], {
      env: toolEnv,
      extendEnv: false,
      reject: false,
      stdin: 'ignore',
    });
    return search.exitCode === 0 ? probePython(search.stdout.trim(), env) : null;
  }

  async function planBuiltIn(name: 'default' | 'sling', python: BasePython): Promise<Plan> {
    const lock = await readFile(join(requirementsDir, `${name}.lock`), 'utf8');
    const message =
      name === 'default'
        ? 'installing dlt, dbt and DuckDB (about 240 MB)'
        : 'installing Sling (about 250 MB)';
    const envKey = `${name}-${keyOf(python, lock).slice(0, 16)}`;
    return {
      envKey,
      python,
      message,
      lock,
      hashed: true,
      compileBytecode: name === 'default',
      sourceBuilds: false,
    };
  }

  async function planFolder(
    found: Exclude<FolderRequirements, { kind: 'default' }>,
    { config, treeDir }: EnvironmentRequest,
    python: BasePython,
  ): Promise<Plan> {
    const sourceBuilds = config.sourceBuilds ?? false;
    const asked = { treeDir, python, locksDir, sourceBuilds, tools: findTools, signal: closing.signal };
    const lock = found.kind === 'lock' ? found.text : await resolveLock(found, asked);
    const packages = normaliseRequirements(lock).split('\n').length;
    return {
      envKey: keyOf(python, lock).slice(0, 32),
      python,
      message: `installing ${packages} packages of ${found.file}`,
      lock,
      hashed: false,
      compileBytecode: true,
      sourceBuilds,
    };
  }

  /** Makes sure that the environment is there; callers at the same time share one build. */
  async function provide(plan: Plan, signal: AbortSignal | undefined): Promise<string> {
    const directory = join(envsDir, plan.envKey);
    if ((await touchReady(directory)) !== null) return directory;
    let build = builds.get(plan.envKey);
    if (build === undefined) {
      build = buildEnvironment(plan, directory).finally(() => builds.delete(plan.envKey));
      builds.set(plan.envKey, build);
      // Whoever waits hears of a failure; when all have left, it is told by progress and log alone.
      build.catch(() => undefined);
    }
    await unlessAborted(build, signal);
    return directory;
  }

  async function buildEnvironment(plan: Plan, directory: string): Promise<void> {
    const { envKey, message } = plan;
    report({ envKey, stage: 'prepare', message, status: 'building' });
    try {
      const { uv, env: toolEnv, base: python } = await findTools();
      const lockFile = join(locksDir, `${envKey}.txt`);
      await mkdir(locksDir, { recursive: true });
      await writeFile(lockFile, plan.lock);
      const onStage = (stage: string): void => {
        report({
          envKey,
          stage,
          message: stage === 'waiting' ? `waiting: another process is ${message}` : message,
          status: 'building',
        });
      };
      const stderr = await buildDirectory(
        {
          directory,
          stages: buildStages({ ...plan, directory, lockFile, python: plan.python.executable, uv }),
          ready: { message, python: plan.python.version },
        },
        { python: python.executable, script: join(root, 'python/elt_runner/build_env.py'), env: toolEnv },
        onStage,
        closing.signal,
      );
      if (stderr !== null) throw toolFailure(envKey, stderr);
      report({
        envKey,
        stage: 'ready',
        message: message.replace(/^installing/, 'installed'),
        status: 'ready',
      });
      logger.info({ env_key: envKey }, 'environment is ready');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      report({ envKey, stage: 'failed', message: reason, status: 'failed' });
      logger.warn({ env_key: envKey, reason }, 'environment could not be built');
      throw error;
    }
  }

  return {
    async ensure(request: EnvironmentRequest, signal?: AbortSignal): Promise<Environment> {
      const found = await readRequirements(request.config, request.treeDir);
      const python = await choosePython(request.config);
      const plan =
        found.kind === 'default'
          ? await planBuiltIn('default', python)
          : await planFolder(found, request, python);
      const directory = await provide(plan, signal);
      return { envKey: plan.envKey, python: join(directory, 'bin/python') };
    },

    async sling(signal?: AbortSignal): Promise<string> {
      const directory = await provide(await planBuiltIn('sling', await findBase()), signal);
      return findSling(directory);
    },

    async status(): Promise<readonly EnvironmentProgress[]> {
      const all = new Map(current);
      for (const name of await readdir(envsDir).catch(() => [])) {
        if (all.has(name)) continue;
        const ready = await readFile(join(envsDir, name, '.ready'), 'utf8').catch(() => null);
        if (ready === null) continue;
        const { message } = JSON.parse(ready) as { message: string };
        all.set(name, {
          envKey: name,
          stage: 'ready',
          message: message.replace(/^installing/, 'installed'),
          status: 'ready',
        });
      }
      return [...all.values()].sort((a, b) => (a.envKey < b.envKey ? -1 : 1));
    },

    onProgress(listener: (progress: EnvironmentProgress) => void): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    async basePython(): Promise<string> {
      return (await findBase()).executable;
    },

    async collectUnused(olderThanMs: number): Promise<readonly string[]> {
      const removed: string[] = [];
      for (const name of await readdir(envsDir).catch(() => [])) {
        if (/^(default|sling)-/.test(name) || builds.has(name)) continue;
        if (await removeIfUnused(join(envsDir, name), Date.now() - olderThanMs)) removed.push(name);
      }
      for (const name of removed) current.delete(name);
      return removed;
    },

    async close(): Promise<void> {
      closing.abort();
      await Promise.allSettled(builds.values());
    },
  };
}

function keyOf(python: BasePython, lock: string): string {
  return sha256([FORMAT, python.version, python.platform, normaliseRequirements(lock)].join('\0'));
}

/** Whether an environment can be made without uv: Python's own venv needs the pip that comes with it. */
async function hasPip(python: string, env: Record<string, string>): Promise<boolean> {
  const { execa } = await import('execa');
  const modules = ['-I', '-c', 'import ensurepip, pip, venv'];
  const found = await execa(python, modules, { env, extendEnv: false, reject: false, stdin: 'ignore' });
  return found.exitCode === 0;
}

/** Waits for shared work; an abort ends the waiting, not the work that others wait for too. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  signal.throwIfAborted();
  const done = new AbortController();
  const aborted = once(signal, 'abort', { signal: done.signal });
  try {
    await Promise.race([work, aborted]);
    signal.throwIfAborted();
    return await work;
  } finally {
    done.abort();
    aborted.catch(() => undefined);
  }
}

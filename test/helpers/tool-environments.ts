import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLogger } from '../../src/lib/log.ts';
import {
  createEnvironments,
  type EnvironmentManager,
} from '../../src/runners/environments/create-environments.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Where tests keep environments: built once per machine and checkout, by whichever test comes first. */
export const TEST_CACHE = process.env.ELT_TEST_CACHE ?? join(ROOT, 'node_modules/.cache/elt-test');

/** The product's own builder over the shared cache. */
export function testEnvironments(env: NodeJS.ProcessEnv = {}): EnvironmentManager {
  return createEnvironments({
    home: TEST_CACHE,
    root: ROOT,
    logger: createLogger('silent'),
    env: { ...process.env, ELT_CACHE_DIR: TEST_CACHE, ...env },
  });
}

let tools:
  | Promise<{ readonly python: string; readonly sling: string; readonly basePython: string }>
  | undefined;

/** Interpreter of the default environment, the Sling binary and a base interpreter, built if need be. */
export function testTools(): Promise<{
  readonly python: string;
  readonly sling: string;
  readonly basePython: string;
}> {
  tools ??= buildTools();
  return tools;
}

async function buildTools(): Promise<{ python: string; sling: string; basePython: string }> {
  const environments = testEnvironments();
  const [environment, sling, basePython] = await Promise.all([
    environments.ensure({ config: {}, treeDir: '/nonexistent' }),
    environments.sling(),
    environments.basePython(),
  ]);
  return { python: environment.python, sling, basePython };
}

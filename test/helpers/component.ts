import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished } from 'vitest';
import {
  type ComponentServiceDeps,
  createComponentService,
  type EltComponentService,
} from '../../src/component/component-service.ts';
import type { ComponentSettings, Settings } from '../../src/config/settings.ts';
import { createLogger } from '../../src/lib/log.ts';
import type { Condition, ConditionType } from '../../src/state/snapshot.ts';
import { STATE_FILE } from '../../src/state/state-file.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { type FakeClock, fakeClock } from './fake-clock.ts';
import { GIT_ENVIRONMENT, temporaryDirectory } from './git-repository.ts';

export const START = Date.UTC(2026, 0, 20, 12);

export interface ComponentWorld {
  readonly home: string;
  readonly dir: string;
  readonly store: Store;
  readonly clock: FakeClock;
  readonly service: EltComponentService;
  /** Another service on the same home, as after a restart. */
  restart(settings?: Partial<ComponentSettings>): Promise<ComponentWorld>;
  refresh(): ReturnType<EltComponentService['requestRefresh']>;
}

export interface WorldOptions {
  readonly home?: string;
  readonly settings?: Partial<ComponentSettings>;
  readonly runDiscoveryJob?: ComponentServiceDeps['runDiscoveryJob'];
  /** As `elt dev` has it for a local repository. */
  readonly workingTrees?: boolean;
  /** Of the service; git takes its PATH from it. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** One component `shop` on a real store and real Git; only time is the test's. */
export async function componentWorld(repoUrl: string, options: WorldOptions = {}): Promise<ComponentWorld> {
  const home = options.home ?? temporaryDirectory();
  const clock = fakeClock(START);
  const log = createLogger('silent');
  const component = componentSettings(home, repoUrl, options.settings);
  const store = await openStore({ file: path.join(home, 'elt.db'), clock, logger: log });
  const service = await createComponentService({
    settings: { ...serviceSettings(home, [component]), environment: options.environment ?? GIT_ENVIRONMENT },
    store,
    clock,
    log,
    workingTrees: options.workingTrees ?? false,
    runDiscoveryJob: options.runDiscoveryJob ?? null,
  });
  let open = true;
  async function close(): Promise<void> {
    if (!open) return;
    open = false;
    await service.close();
    await store.close();
  }
  onTestFinished(close);
  return {
    home,
    dir: component.dir,
    store,
    clock,
    service,
    async restart(settings = {}) {
      await close();
      return componentWorld(settings.repoUrl ?? repoUrl, {
        ...options,
        home,
        settings: { ...options.settings, ...settings },
      });
    },
    refresh: () => service.requestRefresh('shop', { kind: 'cli', by: 'test' }),
  };
}

export function componentSettings(
  home: string,
  repoUrl: string,
  more: Partial<ComponentSettings> = {},
): ComponentSettings {
  return {
    name: 'shop',
    dir: path.join(home, 'components', 'shop'),
    repoUrl,
    ref: { kind: 'branch', name: 'main' },
    token: () => null,
    pipelinesDirectory: 'pipelines',
    autoRefresh: true,
    refreshIntervalMs: 60_000,
    digest: 'settings',
    ...more,
  };
}

export function serviceSettings(home: string, components: readonly ComponentSettings[]): Settings {
  return {
    home,
    host: '127.0.0.1',
    port: 0,
    publicUrl: 'http://127.0.0.1:0',
    allowedHosts: [],
    apiToken: null,
    webhookSecret: null,
    secretsDir: null,
    passEnv: [],
    alertEnv: [],
    alertHosts: [],
    maxConcurrent: 2,
    warmStarts: false,
    logLevel: 'silent',
    root: path.join(import.meta.dirname, '../..'),
    components,
    environment: GIT_ENVIRONMENT,
    demo: false,
  };
}

/** Files of a python pipeline `name`. */
export function pythonFolder(name: string, yaml = '', script = 'print(1)\n'): Record<string, string> {
  return {
    [`pipelines/python/${name}/dagster.yaml`]: `script: {command: [python, run.py]}\n${yaml}`,
    [`pipelines/python/${name}/run.py`]: script,
  };
}

export function condition(world: ComponentWorld, type: ConditionType): Condition | undefined {
  return world.service.component('shop')?.conditions.find((one) => one.type === type);
}

/** `name status commit` of each. */
export function pipelines(world: ComponentWorld): string[] {
  const snapshot = world.service.component('shop')?.snapshot;
  return (snapshot?.pipelines ?? []).map(
    ({ name, status, code }) => `${bare(name)} ${status} ${code.commit.slice(0, 7)}`,
  );
}

/** Whether a pipeline's name carries its tool is discovery's rule. */
export function bare(name: string): string {
  return name.replace(/^(python|dlt)_/, '');
}

/** Matches the name whether or not it carries its tool. */
export function named(name: string): unknown {
  return expect.stringMatching(new RegExp(`^(python_)?${name}$`));
}

export function stateFile(world: ComponentWorld): string {
  return readFileSync(path.join(world.dir, STATE_FILE), 'utf8');
}

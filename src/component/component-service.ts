import path from 'node:path';
import type { Settings } from '../config/settings.ts';
import { buildDefinitions } from '../definitions/build.ts';
import type { Definitions } from '../definitions/definitions.ts';
import { createDiscoverCache, type DiscoveryJob, type DiscoveryResult } from '../discovery/discover.ts';
import type { CodeSource } from '../git/code-source.ts';
import { createLocalTrees } from '../git/local-trees.ts';
import { createMutex } from '../git/mutex.ts';
import { webLink } from '../git/remote-url.ts';
import type { Clock } from '../lib/clock.ts';
import { type CrashHook, neverCrash } from '../lib/crash-points.ts';
import type { Diagnostic } from '../lib/diagnostics.ts';
import { OperationalError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { RefreshTrigger, Store } from '../store/store.ts';
import { collectGarbage } from './collect-garbage.ts';
import type { ComponentService, ComponentStatus, RefreshOptions, RefreshOutcome } from './component.ts';
import { createComponentControl, type MoveControl } from './component-control.ts';
import type { ComponentCrashPoint } from './component-crash-points.ts';
import type { ComponentControl } from './control.ts';
import { createDiscoveryQueue, type DiscoveryQueue } from './discovery-queue.ts';
import {
  type EltGithubComponent,
  openEltGithubComponent,
  type WrittenState,
} from './elt-github-component.ts';
import { createFileReader } from './file-reader.ts';

export interface ComponentServiceDeps {
  readonly settings: Settings;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  /** Serve local working copies as they lie there, uncommitted changes included (`elt dev`). */
  readonly workingTrees?: boolean;
  /** Null: no background discovery here (a command that only reads); its folders stay pending. */
  readonly runDiscoveryJob:
    | ((
        job: DiscoveryJob,
        context: { readonly code: CodeSource; readonly signal: AbortSignal },
      ) => Promise<DiscoveryResult>)
    | null;
  /** Told at each of `COMPONENT_CRASH_POINTS`; tests end the process there. */
  readonly crashPoint?: CrashHook<ComponentCrashPoint>;
}

/** What the composition root, the daemons and the surface have beyond the port. */
export interface EltComponentService extends ComponentService, ComponentControl, MoveControl {
  /** Trees of every component, for steps and background discovery. */
  readonly code: CodeSource;
  /** What building the definitions of all components together found, beside the snapshots' own diagnostics. */
  definitionDiagnostics(): readonly Diagnostic[];
  /** Address of a file's page on its Git host at a commit; null for a local repository. */
  fileLink(component: string, commit: string, file: string, line?: number): string | null;
  repositories(): readonly Pick<EltGithubComponent, 'name' | 'remote' | 'settings' | 'workDir' | 'token'>[];
  /** When a verified webhook last asked for a refresh of it; null: not since the start. */
  webhookSeenAt(component: string): number | null;
  /** The refresh daemon says when it will look again. */
  announceNextRefresh(component: string, at: number | null): void;
  /** Resolves when no refresh and no background discovery is under way or can start by itself. */
  settled(): Promise<void>;
  /** Trees and commits that nothing needs any more; returns counts. */
  collectGarbage(): Promise<Readonly<Record<string, number>>>;
}

interface Request {
  trigger: RefreshTrigger;
  allowPrune: boolean;
}

interface Entry {
  readonly component: EltGithubComponent;
  readonly readFile: ReturnType<typeof createFileReader>;
  /** Refreshes and changes of what holds it, one after the other. */
  readonly alone: ReturnType<typeof createMutex>;
  /** Stops the refresh that is under way: a person's hand goes first. */
  interrupt: AbortController;
  running: Promise<RefreshOutcome> | null;
  waiting: { readonly request: Request; readonly outcome: Promise<RefreshOutcome> } | null;
  nextRefreshAt: number | null;
  webhookAt: number | null;
}

/** Opens every component with its last good state, publishes what they have, and contacts nobody until asked to. */
export async function createComponentService(deps: ComponentServiceDeps): Promise<EltComponentService> {
  const { settings, store, clock, log } = deps;
  const closing = new AbortController();
  const results = new Map(await store.discovery.results());
  const entries = new Map<string, Entry>();
  for (const one of settings.components) {
    const component = await openEltGithubComponent({
      settings: one,
      service: settings,
      store,
      clock,
      log,
      workingTrees: deps.workingTrees ?? false,
      results,
      onApplied: swap,
      crashPoint: deps.crashPoint ?? neverCrash,
    });
    entries.set(one.name, {
      component,
      readFile: createFileReader(() => component.mirror()),
      alone: createMutex(),
      interrupt: new AbortController(),
      running: null,
      waiting: null,
      nextRefreshAt: null,
      webhookAt: null,
    });
  }
  const trees = createLocalTrees({
    dir: path.join(settings.home, 'trees'),
    objects: (name) => entryOf(name).component.mirror().objects(),
  });
  const listeners = new Set<(definitions: Definitions) => void>();
  let published = build();
  const queue = deps.runDiscoveryJob === null ? null : discoveryQueue(deps.runDiscoveryJob);

  function entryOf(name: string): Entry {
    const entry = entries.get(name);
    if (entry === undefined) {
      const known = [...entries.keys()].join(', ');
      throw new OperationalError('COMPONENT_UNKNOWN', `no component is called "${name}"`, {
        hint: `there is ${known}`,
      });
    }
    return entry;
  }

  function build(): ReturnType<typeof buildDefinitions> {
    const sources = [...entries.values()].map(({ component }) => component.buildDefsFromState());
    return buildDefinitions(sources.filter((source) => source !== null));
  }

  /** One reference is replaced: a reader holds the old whole or the new whole (law 3). */
  function swap(): void {
    published = build();
    for (const listener of listeners) listener(published.definitions);
  }

  async function announce(): Promise<void> {
    await store.appendInstanceEvents([
      { type: 'definitions_published', digest: published.definitions.digest },
    ]);
  }

  function discoveryQueue(run: NonNullable<ComponentServiceDeps['runDiscoveryJob']>): DiscoveryQueue {
    const tell = async (component: string, job: DiscoveryJob, status: string): Promise<void> => {
      await store.appendInstanceEvents([
        { type: 'discovery_progress', component, pipeline: job.pipeline, status },
      ]);
    };
    return createDiscoveryQueue({
      clock,
      log,
      run: (job, signal) => run(job, { code: trees, signal }),
      onStart: (component, job) => tell(component, job, 'running'),
      async onResult(component, job, result) {
        await store.discovery.save(result);
        results.set(result.inputsDigest, result);
        await tell(component, job, result.status);
        void requestRefresh(component, { kind: 'discovery' });
      },
    });
  }

  async function refresh(entry: Entry, request: Request): Promise<RefreshOutcome> {
    const { component } = entry;
    for (;;) {
      let interrupted = false;
      const written = await entry.alone(async () => {
        entry.interrupt = new AbortController();
        const { signal } = entry.interrupt;
        const made = await component.writeState({
          ...request,
          signal: AbortSignal.any([closing.signal, signal]),
        });
        interrupted = signal.aborted && made.outcome.error?.code === 'SHUTTING_DOWN';
        return made;
      });
      // Stopped for a person's change of what holds it: what was asked for comes after that.
      if (interrupted && !closing.signal.aborted) continue;
      const outcome = await settle(component.name, written);
      const { status, commit, seconds, note } = outcome;
      log.info(
        {
          component: component.name,
          trigger: request.trigger.kind,
          status,
          commit,
          seconds,
          ...(note === undefined ? {} : { note }),
        },
        'refreshed',
      );
      return outcome;
    }
  }

  async function settle(name: string, { outcome, jobs }: WrittenState): Promise<RefreshOutcome> {
    if (outcome.status === 'applied') await announce();
    if (jobs !== null) queue?.offer(name, jobs);
    return { ...outcome, diagnostics: [...outcome.diagnostics, ...published.diagnostics] };
  }

  function inPlaceOfRefresh<T>(name: string, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const entry = entryOf(name);
    if (closing.signal.aborted) throw new OperationalError('SHUTTING_DOWN', 'the service is shutting down');
    entry.interrupt.abort();
    return entry.alone(() => task(closing.signal));
  }

  function start(entry: Entry, request: Request): Promise<RefreshOutcome> {
    const outcome = refresh(entry, request).finally(() => {
      entry.running = null;
    });
    entry.running = outcome;
    return outcome;
  }

  /** At most one in flight and one waiting (law 1): who comes while one waits joins it. */
  async function requestRefresh(
    name: string,
    trigger: RefreshTrigger,
    options: RefreshOptions = {},
  ): Promise<RefreshOutcome> {
    const entry = entryOf(name);
    if (closing.signal.aborted) throw new OperationalError('SHUTTING_DOWN', 'the service is shutting down');
    if (trigger.kind === 'webhook') entry.webhookAt = clock.now();
    const allowPrune = options.allowPrune ?? false;
    if (entry.waiting !== null) {
      const { request, outcome } = entry.waiting;
      if (allowPrune) request.allowPrune = true;
      if (request.trigger.kind === 'poll') request.trigger = trigger;
      return outcome;
    }
    if (entry.running === null) return start(entry, { trigger, allowPrune });
    const request: Request = { trigger, allowPrune };
    const outcome = entry.running
      .catch(() => undefined)
      .then(() => {
        entry.waiting = null;
        return start(entry, request);
      });
    entry.waiting = { request, outcome };
    return outcome;
  }

  function underWay(): Promise<RefreshOutcome>[] {
    const all = [...entries.values()].map((entry) => entry.waiting?.outcome ?? entry.running);
    return all.filter((promise) => promise !== null);
  }

  function statusOf(entry: Entry): ComponentStatus {
    return {
      ...entry.component.status(),
      refreshing: entry.running !== null,
      nextRefreshAt: entry.nextRefreshAt,
    };
  }

  /** One after the other: a plan of a large repository takes memory. */
  const planning = createMutex();
  const planCache = createDiscoverCache();

  const control = createComponentControl({
    store,
    clock,
    definitions: () => published.definitions,
    components: () => [...entries.values()].map(statusOf),
    componentNamed: (name) => entryOf(name).component,
    inPlaceOfRefresh,
    settle,
    requestRefresh,
  });

  return {
    ...control,
    async plan(name, target, from) {
      const { component } = entryOf(name);
      // Imported when first asked for: a start needs none of it.
      const { planRevision } = await import('./plan-revision.ts');
      const sources = [...entries.values()].map((entry) => entry.component.buildDefsFromState());
      return planning(() =>
        planRevision(
          {
            settings: component.settings,
            service: settings,
            store,
            clock,
            mirror: () => component.mirror(),
            served: component.buildDefsFromState(),
            sources: sources.filter((source) => source !== null),
            results,
            cache: planCache,
            signal: closing.signal,
          },
          target,
          from,
        ),
      );
    },
    code: trees,
    definitions: () => published.definitions,
    definitionDiagnostics: () => published.diagnostics,
    onPublished(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    components: () => [...entries.values()].map(statusOf),
    component(name) {
      const entry = entries.get(name);
      return entry === undefined ? null : statusOf(entry);
    },
    repositories: () => [...entries.values()].map(({ component }) => component),
    requestRefresh,
    fileLink(name, commit, file, line) {
      const remote = entries.get(name)?.component.remote ?? null;
      return remote === null ? null : webLink(remote, commit, file, line);
    },
    async readFile(name, commit, file) {
      const entry = entries.get(name);
      if (entry === undefined || entry.component.remote === null || !/^[0-9a-f]{40,64}$/.test(commit))
        return null;
      return entry.readFile(commit, file);
    },
    webhookSeenAt: (name) => entryOf(name).webhookAt,
    announceNextRefresh(name, at) {
      entryOf(name).nextRefreshAt = at;
    },
    async settled() {
      for (;;) {
        const running = [...entries.values()].flatMap(({ running, waiting }) => [
          running,
          waiting?.outcome ?? null,
        ]);
        const open = running.filter((promise) => promise !== null);
        if (open.length === 0) {
          await queue?.idle();
          if ([...entries.values()].every((entry) => entry.running === null)) return;
        } else await Promise.allSettled(open);
      }
    },
    collectGarbage: () =>
      collectGarbage(
        [...entries.values()].map(({ component }) => component),
        trees,
        store,
        clock,
      ),
    async close() {
      closing.abort();
      await queue?.close();
      await Promise.allSettled(underWay());
    },
  };
}

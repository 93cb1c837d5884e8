import { refText } from '../config/ref-text.ts';
import type { ComponentSettings, Settings } from '../config/settings.ts';
import type { DefinitionsSource } from '../definitions/build.ts';
import { createDiscoverCache, type DiscoveryJob, type DiscoveryResult } from '../discovery/discover.ts';
import { type Mirror, openMirror } from '../git/mirror.ts';
import { parseRemoteUrl, portableName, type RemoteUrl, redactedUrl } from '../git/remote-url.ts';
import { installationToken } from '../github/github-client.ts';
import type { Clock } from '../lib/clock.ts';
import type { CrashHook } from '../lib/crash-points.ts';
import { OperationalError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { SnapshotDiff } from '../state/snapshot-diff.ts';
import { clearPrepared } from '../state/state-file.ts';
import type { RefreshTrigger, Store } from '../store/store.ts';
import { acceptMove } from './accept-move.ts';
import type { ComponentStatus, RefreshOutcome } from './component.ts';
import type { ComponentCrashPoint } from './component-crash-points.ts';
import type { ControlState } from './control.ts';
import { endsRollback } from './fence.ts';
import { heldText, lookAtHead } from './held.ts';
import { createHolds, type Holds } from './holds.ts';
import { readLastRefresh, writeLastRefresh } from './last-refresh.ts';
import { type Reconciled, type ReconcileInput, reconcile } from './reconcile.ts';
import { openServedState } from './served-state.ts';

export interface ComponentDeps {
  readonly settings: ComponentSettings;
  readonly service: Pick<Settings, 'environment' | 'passEnv' | 'alertEnv'>;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  /** Serve a local working copy as it lies there, uncommitted changes included. */
  readonly workingTrees: boolean;
  /** Results of background discovery, shared by all components. */
  readonly results: ReadonlyMap<string, DiscoveryResult>;
  /** Called in the same turn in which a revision becomes the served one: status and definitions change together. */
  readonly onApplied: () => void;
  readonly crashPoint: CrashHook<ComponentCrashPoint>;
}

export interface WriteStateRequest {
  readonly trigger: RefreshTrigger;
  readonly allowPrune: boolean;
  readonly signal: AbortSignal;
}

export type PersonTrigger = Extract<RefreshTrigger, { kind: 'cli' | 'page' | 'api' }>;

export interface WrittenState {
  readonly outcome: RefreshOutcome;
  /** What has to run in the background; null: as before. */
  readonly jobs: readonly DiscoveryJob[] | null;
}

/**
 * One repository: Dagster's state-backed component. `writeState` brings the state up to the repository's head,
 * `buildDefsFromState` gives what definitions are built from, without network and without Git. Nothing that writes is to
 * be called while another one is under way.
 */
export interface EltGithubComponent extends Holds {
  readonly name: string;
  /** Null: the address was refused. */
  readonly remote: RemoteUrl | null;
  readonly settings: ComponentSettings;
  /** The local working copy that is served as it lies there; null: commits only. */
  readonly workDir: string | null;
  /** For its Git host: the configured token, or one of the installation of its GitHub App. Null: none. */
  readonly token: () => string | null | Promise<string | null>;
  /** Throws `GIT_URL_REFUSED`. */
  mirror(): Mirror;
  /** Never rejects: a failure is an outcome, and what was served before still is. */
  writeState(request: WriteStateRequest): Promise<WrittenState>;
  buildDefsFromState(): DefinitionsSource | null;
  /** Throws `MOVE_CONFLICT`, `CONTROL_CONFLICT`; then nothing changed. */
  acceptMove(pipeline: string, trigger: PersonTrigger): Promise<WrittenState>;
  /** What holds it; null: nothing. */
  control(): ControlState | null;
  status(): Omit<ComponentStatus, 'refreshing' | 'nextRefreshAt'>;
}

/** Holds in a row that are looked behind for the commit of a followed tag. */
const REVISIONS_LOOKED_AT = 50;
const NO_DIFF: SnapshotDiff = { added: [], removed: [], changed: [] };

/** Opens mirror and last good state; contacts nobody. */
export async function openEltGithubComponent(deps: ComponentDeps): Promise<EltGithubComponent> {
  const { settings, store, clock, log } = deps;
  const parsed = parseRemoteUrl(settings.repoUrl, { local: true });
  const remote = 'ok' in parsed ? parsed.ok : null;
  const repoUrl = remote === null ? redactedUrl(settings.repoUrl) : portableName(remote);
  const token =
    settings.githubApp === undefined
      ? settings.token
      : installationToken({ ...settings.githubApp, now: () => clock.now() });
  const mirror = remote === null ? null : await openMirror({ ...mirrorOptions(deps), remote, token });
  await clearPrepared(settings.dir);
  const cache = createDiscoverCache();

  const { onApplied, crashPoint } = deps;
  const state = await openServedState({ settings, repoUrl, store, clock, log, onApplied, crashPoint });
  let lastAttempted: ComponentStatus['lastAttempted'] = null;
  let fingerprint: string | null = null;

  function theMirror(): Mirror {
    if (mirror === null) {
      const { refused, hint } = parsed as Extract<typeof parsed, { refused: string }>;
      throw new OperationalError(
        'GIT_URL_REFUSED',
        `the repository address of ${settings.name} is not allowed: ${refused}`,
        {
          hint,
        },
      );
    }
    return mirror;
  }

  /**
   * After a start: what is served comes from these very inputs, so nothing has to be read. Who asks for a refresh by hand
   * gets a look at the files all the same, and so does a mirror that lost the commit.
   */
  async function fingerprintOfLastRefresh({ trigger }: WriteStateRequest): Promise<string | null> {
    const served = state.served();
    if (served === null || 'by' in trigger) return null;
    const last = await readLastRefresh(settings.dir);
    const isServed = last !== null && last.digest === served.snapshot.digest;
    return isServed && (await theMirror().has(served.snapshot.repo.commit)) ? last.fingerprint : null;
  }

  async function read(
    request: WriteStateRequest,
    startedAt: number,
    more: Pick<ReconcileInput, 'fingerprint' | 'ref' | 'tagAt'>,
  ): Promise<Reconciled> {
    const result = await reconcile({
      settings,
      service: deps.service,
      repoUrl,
      mirror: theMirror(),
      previous: state.served()?.snapshot ?? null,
      results: deps.results,
      cache,
      allowPrune: request.allowPrune,
      expectsNews: request.trigger.kind === 'webhook',
      now: startedAt,
      signal: request.signal,
      ...more,
    });
    if (result.kind === 'revision' && result.foldersRead > 0) {
      const folders = result.snapshot.pipelines.length;
      log.info({ component: settings.name, folders, folders_read: result.foldersRead }, 'folders were read');
    }
    return result;
  }

  /**
   * What a followed tag may name: the commit that is served, which a person may have chosen by a pin, and the newest that was
   * taken by following it. What was only seen while something was held was not taken.
   */
  async function followedTag(): Promise<Pick<ReconcileInput, 'tagAt'>> {
    const served = state.served();
    if (settings.ref.kind !== 'tag' || served?.snapshot.repo.branch !== settings.ref.name) return {};
    const revisions = await store.components.revisions(settings.name, { limit: REVISIONS_LOOKED_AT });
    const taken = revisions.find(({ trigger }) => trigger.kind !== 'pin' && trigger.kind !== 'rollback');
    return { tagAt: [...(taken === undefined ? [] : [taken.commit]), served.snapshot.repo.commit] };
  }

  async function attempt(request: WriteStateRequest, startedAt: number): Promise<WrittenState> {
    const { trigger, signal } = request;
    const expiresAt = state.control()?.expiresAt ?? null;
    if (expiresAt !== null && expiresAt <= startedAt) await holds.resume('expiry');
    const control = state.control();
    if (control !== null) {
      const serving = state.served()?.snapshot.repo.commit ?? null;
      const head = await lookAtHead(theMirror(), settings.ref, serving, signal);
      state.remoteHead = head;
      lastAttempted = { at: startedAt, commit: head.commit };
      const ends =
        control.mode === 'rolled_back' && (await endsRollback(theMirror().history, control, head.commit));
      if (!ends) return stay(request, startedAt);
    }
    const result = await read(request, startedAt, {
      fingerprint: fingerprint ?? (await fingerprintOfLastRefresh(request)),
      // The very commit that was judged newer: the branch can move back while it is read (fault G16).
      ...(control === null
        ? await followedTag()
        : { ref: { kind: 'commit', sha: state.remoteHead!.commit } }),
    });
    lastAttempted = { at: startedAt, commit: result.commit };
    state.remoteHead = { commit: result.commit, ahead: 0 };
    const isNew = result.kind === 'revision' && !state.isServed(result.snapshot);
    if (isNew) {
      const by = `commit ${result.commit.slice(0, 12)}`;
      const ended = control === null ? {} : { control: { state: null, by } };
      await state.apply(result, { trigger, startedAt, ...ended });
    }
    fingerprint = result.fingerprint;
    await Promise.all([
      state.conclude(null, isNew ? result.rewrittenFrom : null),
      result.kind === 'revision' && result.jobs.length === 0 ? remember(result) : null,
    ]);
    return written(result, isNew, startedAt);
  }

  /** Held: nothing of the head is applied. What was still being discovered of the served commit is finished. */
  async function stay(request: WriteStateRequest, startedAt: number): Promise<WrittenState> {
    const control = state.control()!;
    const snapshot = state.served()?.snapshot;
    const pending = snapshot?.pipelines.some(({ discovery }) => discovery.status === 'pending') ?? false;
    if (snapshot === undefined || !pending || control.mode === 'suspended') {
      await state.conclude();
      return noted({ outcome: outcome('unchanged', startedAt), jobs: null });
    }
    const result = await read(request, startedAt, {
      fingerprint: null,
      ref: { kind: 'commit', sha: snapshot.repo.commit },
    });
    const isNew = result.kind === 'revision' && !state.isServed(result.snapshot);
    if (isNew) {
      const { trigger } = request;
      await state.apply(result, { trigger, startedAt, control: { state: control, by: control.by } });
    }
    await state.conclude();
    return noted(written(result, isNew, startedAt));
  }

  function written(result: Reconciled, isNew: boolean, startedAt: number): WrittenState {
    return {
      outcome: {
        ...outcome(isNew ? 'applied' : 'unchanged', startedAt),
        commit: result.commit,
        diff: isNew && result.kind === 'revision' ? result.diff : NO_DIFF,
      },
      jobs: result.kind === 'revision' ? result.jobs : null,
    };
  }

  function noted({ outcome, jobs }: WrittenState): WrittenState {
    const note = heldText(state.control()!, state.served()?.snapshot.repo.commit ?? null, state.remoteHead);
    return { outcome: { ...outcome, note }, jobs };
  }

  async function remember({
    fingerprint,
    snapshot,
  }: Extract<Reconciled, { kind: 'revision' }>): Promise<void> {
    await writeLastRefresh(settings.dir, { fingerprint, digest: snapshot.digest }).catch((error: unknown) => {
      log.warn(
        { component: settings.name, reason: String(error) },
        'the next start will read every folder again',
      );
    });
  }

  function outcome(status: RefreshOutcome['status'], startedAt: number): RefreshOutcome {
    const served = state.served();
    return {
      component: settings.name,
      status,
      revisionId: served?.revisionId ?? null,
      commit: served?.snapshot.repo.commit ?? null,
      diff: NO_DIFF,
      diagnostics: served?.snapshot.diagnostics ?? [],
      seconds: (clock.now() - startedAt) / 1000,
      error: null,
    };
  }

  const holds = createHolds({
    settings,
    state,
    clock,
    mirror: theMirror,
    lastSeen: () => state.remoteHead?.commit ?? lastAttempted?.commit ?? null,
    read,
    written: (result, isNew, startedAt) => noted(written(result, isNew, startedAt)),
    forgetInputs: () => {
      fingerprint = null;
    },
  });

  return {
    ...holds,
    name: settings.name,
    remote,
    settings,
    workDir: mirror?.workDir ?? null,
    token,
    mirror: theMirror,
    async writeState(request) {
      const startedAt = clock.now();
      lastAttempted = { at: startedAt, commit: null };
      try {
        return await attempt(request, startedAt);
      } catch (cause) {
        const error = operational(cause);
        if (error.code === 'SHUTTING_DOWN') log.info({ component: settings.name }, 'a refresh was stopped');
        else {
          log.warn(
            {
              component: settings.name,
              code: error.code,
              reason: error.message,
              ...(error.hint === undefined ? {} : { hint: error.hint }),
              ...(error.code === 'INTERNAL' ? { err: cause } : {}),
            },
            state.served() === null
              ? 'refresh failed, nothing is served yet'
              : 'refresh failed, what was served before still is',
          );
          await state.conclude(error);
        }
        const { code, message, hint } = error;
        return {
          outcome: {
            ...outcome('failed', startedAt),
            error: { code, message, ...(hint === undefined ? {} : { hint }) },
          },
          jobs: null,
        };
      }
    },
    async acceptMove(pipeline, trigger) {
      const startedAt = clock.now();
      await acceptMove(state, clock, pipeline, trigger);
      return { outcome: outcome('applied', startedAt), jobs: null };
    },
    control: () => state.control(),
    buildDefsFromState() {
      const served = state.served();
      return served === null ? null : { component: settings.name, ...served };
    },
    status: () => ({
      name: settings.name,
      repoUrl: remote === null ? redactedUrl(settings.repoUrl) : remote.url,
      ref: refText(settings.ref),
      conditions: state.conditions(),
      lastAttempted,
      lastApplied: state.lastApplied(),
      snapshot: state.served()?.snapshot ?? null,
      control: state.control(),
      remoteHead: state.remoteHead,
    }),
  };
}
function mirrorOptions({
  settings,
  service,
  log,
  workingTrees,
}: ComponentDeps): Omit<Parameters<typeof openMirror>[0], 'remote' | 'token'> {
  return {
    dir: `${settings.dir}/repo_clone`,
    ...(workingTrees ? { workingTree: { paths: [settings.pipelinesDirectory, 'dagster.yaml'] } } : {}),
    ...(settings.sparsePaths === undefined
      ? {}
      : { sparsePaths: [settings.pipelinesDirectory, 'dagster.yaml', ...settings.sparsePaths] }),
    ...(settings.ssh === undefined ? {} : { ssh: settings.ssh }),
    ...(settings.caFile === undefined ? {} : { caFile: settings.caFile }),
    environment: service.environment,
    log,
  };
}

/** Anything else than an error of the catalogue is a defect of ours; it must not take the service down. */
function operational(error: unknown): OperationalError {
  if (error instanceof OperationalError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new OperationalError('INTERNAL', `the refresh failed: ${message}`, { next: 'retry', cause: error });
}

import { refText } from '../config/ref-text.ts';
import type { ComponentSettings, Settings } from '../config/settings.ts';
import type { DefinitionsSource } from '../definitions/build.ts';
import { createDiscoverCache, type DiscoveryJob, type DiscoveryResult } from '../discovery/discover.ts';
import { type Mirror, openMirror } from '../git/mirror.ts';
import { parseRemoteUrl, portableName, type RemoteUrl, redactedUrl } from '../git/remote-url.ts';
import type { Clock } from '../lib/clock.ts';
import { OperationalError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { Condition, Snapshot } from '../state/snapshot.ts';
import type { SnapshotDiff } from '../state/snapshot-diff.ts';
import { clearPrepared, prepareStateFile, readStateDigest, readStateFile } from '../state/state-file.ts';
import type { RefreshTrigger, Store } from '../store/store.ts';
import type { ComponentStatus, RefreshOutcome } from './component.ts';
import { type ConditionFacts, changedConditions, nextConditions } from './conditions.ts';
import { readLastRefresh, writeLastRefresh } from './last-refresh.ts';
import { type Reconciled, reconcile } from './reconcile.ts';

export interface ComponentDeps {
  readonly settings: ComponentSettings;
  readonly service: Pick<Settings, 'environment' | 'passEnv'>;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  /** Serve a local working copy as it lies there, uncommitted changes included. */
  readonly workingTrees: boolean;
  /** Results of background discovery, shared by all components. */
  readonly results: ReadonlyMap<string, DiscoveryResult>;
  /** Called in the same turn in which a revision becomes the served one: status and definitions change together. */
  readonly onApplied: () => void;
}

export interface WriteStateRequest {
  readonly trigger: RefreshTrigger;
  readonly allowPrune: boolean;
  readonly signal: AbortSignal;
}

export interface WrittenState {
  readonly outcome: RefreshOutcome;
  /** What has to run in the background; null: as before. */
  readonly jobs: readonly DiscoveryJob[] | null;
}

/**
 * One repository: Dagster's state-backed component. `writeState` brings the state up to the repository's head,
 * `buildDefsFromState` gives what definitions are built from, without network and without Git.
 */
export interface EltGithubComponent {
  readonly name: string;
  /** Null: the address was refused. */
  readonly remote: RemoteUrl | null;
  readonly settings: ComponentSettings;
  /** The local working copy that is served as it lies there; null: commits only. */
  readonly workDir: string | null;
  /** Throws `GIT_URL_REFUSED`. */
  mirror(): Mirror;
  /** Never rejects: a failure is an outcome, and what was served before still is. Not to be called twice at once. */
  writeState(request: WriteStateRequest): Promise<WrittenState>;
  buildDefsFromState(): DefinitionsSource | null;
  status(): Omit<ComponentStatus, 'refreshing' | 'nextRefreshAt'>;
}

const NO_DIFF: SnapshotDiff = { added: [], removed: [], changed: [] };

/** Opens mirror and last good state; contacts nobody. */
export async function openEltGithubComponent(deps: ComponentDeps): Promise<EltGithubComponent> {
  const { settings, store, clock, log } = deps;
  const parsed = parseRemoteUrl(settings.repoUrl, { local: true });
  const remote = 'ok' in parsed ? parsed.ok : null;
  const repoUrl = remote === null ? redactedUrl(settings.repoUrl) : portableName(remote);
  const mirror = remote === null ? null : await openMirror({ ...mirrorOptions(deps), remote });
  await clearPrepared(settings.dir);
  const cache = createDiscoverCache();

  let served = await lastGood();
  let lastApplied = served === null ? null : await appliedAt(served.revisionId, served.snapshot);
  let lastAttempted: ComponentStatus['lastAttempted'] = null;
  let conditions: readonly Condition[] = nextConditions([], facts(null, null), clock.now());
  let fingerprint: string | null = null;
  let stateDigest: string | null | undefined;

  /** The store's newest revision; without one (a new database) the state file, which then becomes one. */
  async function lastGood(): Promise<{ revisionId: number; snapshot: Snapshot } | null> {
    const latest = await store.components.latestSnapshot(settings.name);
    if (latest !== null) return latest.snapshot.repo.url === repoUrl ? latest : null;
    const { snapshot, problems } = await readStateFile(settings.dir, {
      component: settings.name,
      url: repoUrl,
    });
    for (const problem of problems)
      log.warn({ component: settings.name, problem }, 'a state file was passed over');
    if (snapshot === null) return null;
    const summary = { added: snapshot.pipelines.length, changed: 0, removed: 0 };
    const info = { trigger: { kind: 'startup' } as const, startedAt: clock.now(), summary };
    return { revisionId: await store.components.applyRevision(snapshot, info), snapshot };
  }

  async function appliedAt(revisionId: number, snapshot: Snapshot): Promise<ComponentStatus['lastApplied']> {
    const row = await store.components.revision(settings.name, revisionId);
    return { at: row?.appliedAt ?? snapshot.takenAt, commit: snapshot.repo.commit, revisionId };
  }

  function facts(
    error: OperationalError | null,
    rewrittenFrom: string | null,
    snapshot?: Snapshot,
  ): ConditionFacts {
    const shown = snapshot ?? served?.snapshot;
    const pipelines = shown?.pipelines ?? [];
    return {
      serving: shown?.repo.commit ?? null,
      error,
      held: pipelines.filter(({ status }) => status === 'held').map(({ name }) => name),
      errors: shown?.diagnostics.filter(({ severity }) => severity === 'error').length ?? 0,
      pending: pipelines.filter(({ discovery }) => discovery.status === 'pending').map(({ name }) => name),
      rewrittenFrom,
    };
  }

  /** State file prepared, revision in the store, then the file in its place: a crash leaves one or the other, whole. */
  async function apply(
    result: Extract<Reconciled, { kind: 'revision' }>,
    request: WriteStateRequest,
    startedAt: number,
  ): Promise<void> {
    const now = clock.now();
    const next = nextConditions(conditions, facts(null, result.rewrittenFrom, result.snapshot), now);
    const snapshot: Snapshot = { ...result.snapshot, conditions: next };
    await theMirror().keep(result.commit);
    const file = await prepareStateFile(settings.dir, snapshot);
    const { added, removed, changed } = result.diff;
    const summary = { added: added.length, changed: changed.length, removed: removed.length };
    let revisionId: number;
    try {
      revisionId = await store.components.applyRevision(snapshot, {
        trigger: request.trigger,
        startedAt,
        summary,
      });
    } catch (error) {
      await file.discard();
      throw error;
    }
    served = { revisionId, snapshot };
    lastApplied = { at: now, commit: result.commit, revisionId };
    deps.onApplied();
    stateDigest = await file.commit().then(
      () => snapshot.digest,
      (error: unknown) => {
        log.warn({ component: settings.name, reason: String(error) }, 'the state file could not be replaced');
        return null;
      },
    );
  }

  /** Tells what changed, and repairs a state file that is missing, damaged or behind. */
  async function conclude(error: OperationalError | null, rewrittenFrom: string | null): Promise<void> {
    const next = nextConditions(conditions, facts(error, rewrittenFrom), clock.now());
    const changed = changedConditions(conditions, next);
    conditions = next;
    if (changed.length > 0) {
      await store.appendInstanceEvents(
        changed.map(({ type, status, reason, message }) => ({
          type: 'component_condition',
          component: settings.name,
          condition: type,
          status,
          reason,
          message,
        })),
      );
    }
    if (served === null) return;
    stateDigest = stateDigest === undefined ? await readStateDigest(settings.dir) : stateDigest;
    if (stateDigest === served.snapshot.digest && changed.length === 0) return;
    served = { ...served, snapshot: { ...served.snapshot, conditions } };
    const file = await prepareStateFile(settings.dir, served.snapshot);
    await file.commit();
    stateDigest = served.snapshot.digest;
  }

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
    if (served === null || 'by' in trigger) return null;
    const last = await readLastRefresh(settings.dir);
    const isServed = last !== null && last.digest === served.snapshot.digest;
    return isServed && (await theMirror().has(served.snapshot.repo.commit)) ? last.fingerprint : null;
  }

  async function attempt(request: WriteStateRequest, startedAt: number): Promise<WrittenState> {
    const result = await reconcile({
      settings,
      service: deps.service,
      repoUrl,
      mirror: theMirror(),
      previous: served?.snapshot ?? null,
      fingerprint: fingerprint ?? (await fingerprintOfLastRefresh(request)),
      results: deps.results,
      cache,
      allowPrune: request.allowPrune,
      now: startedAt,
      signal: request.signal,
    });
    lastAttempted = { at: startedAt, commit: result.commit };
    const isNew = result.kind === 'revision' && result.snapshot.digest !== served?.snapshot.digest;
    if (isNew) await apply(result, request, startedAt);
    fingerprint = result.fingerprint;
    await concludeQuietly(null, isNew ? result.rewrittenFrom : null);
    if (result.kind === 'revision' && result.jobs.length === 0) await remember(result);
    return {
      outcome: {
        ...outcome(isNew ? 'applied' : 'unchanged', startedAt),
        commit: result.commit,
        diff: isNew ? result.diff : NO_DIFF,
      },
      jobs: result.kind === 'revision' ? result.jobs : null,
    };
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

  async function concludeQuietly(
    error: OperationalError | null,
    rewrittenFrom: string | null,
  ): Promise<void> {
    try {
      await conclude(error, rewrittenFrom);
    } catch (failure) {
      log.warn({ component: settings.name, reason: String(failure) }, 'the conditions could not be written');
    }
  }

  function outcome(status: RefreshOutcome['status'], startedAt: number): RefreshOutcome {
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

  return {
    name: settings.name,
    remote,
    settings,
    workDir: mirror?.workDir ?? null,
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
            served === null
              ? 'refresh failed, nothing is served yet'
              : 'refresh failed, what was served before still is',
          );
          await concludeQuietly(error, null);
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
    buildDefsFromState: () => (served === null ? null : { component: settings.name, ...served }),
    status: () => ({
      name: settings.name,
      repoUrl: remote === null ? redactedUrl(settings.repoUrl) : remote.url,
      ref: refText(settings.ref),
      conditions,
      lastAttempted,
      lastApplied,
      snapshot: served?.snapshot ?? null,
    }),
  };
}

function mirrorOptions({
  settings,
  service,
  log,
  workingTrees,
}: ComponentDeps): Omit<Parameters<typeof openMirror>[0], 'remote'> {
  return {
    dir: `${settings.dir}/repo_clone`,
    ...(workingTrees ? { workingTree: { paths: [settings.pipelinesDirectory, 'dagster.yaml'] } } : {}),
    token: settings.token,
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

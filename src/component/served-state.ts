import type { ComponentSettings } from '../config/settings.ts';
import type { Clock } from '../lib/clock.ts';
import type { CrashHook } from '../lib/crash-points.ts';
import type { Diagnostic } from '../lib/diagnostics.ts';
import type { OperationalError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { Condition, Snapshot } from '../state/snapshot.ts';
import type { SnapshotDiff } from '../state/snapshot-diff.ts';
import { prepareStateFile, readStateDigest, readStateFile } from '../state/state-file.ts';
import type { AcceptedMove, RefreshTrigger, Store } from '../store/store.ts';
import type { ComponentStatus, RemoteHead } from './component.ts';
import type { ComponentCrashPoint } from './component-crash-points.ts';
import { type ConditionFacts, changedConditions, nextConditions } from './conditions.ts';
import type { ControlState } from './control.ts';
import { heldText } from './held.ts';

export interface ServedStateDeps {
  readonly settings: Pick<ComponentSettings, 'name' | 'dir'>;
  /** What state and page call the repository. */
  readonly repoUrl: string;
  readonly store: Pick<Store, 'components' | 'controls' | 'appendInstanceEvents'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called in the same turn in which a revision becomes the served one: status and definitions change together. */
  readonly onApplied: () => void;
  readonly crashPoint: CrashHook<ComponentCrashPoint>;
}

export interface RevisionToApply {
  /** Without conditions. */
  readonly snapshot: Snapshot;
  readonly diff: SnapshotDiff;
  readonly rewrittenFrom: string | null;
}

export interface ApplyInfo {
  readonly trigger: RefreshTrigger;
  readonly startedAt: number;
  readonly acceptedMove?: AcceptedMove;
  /** What holds the component from this revision on, or null where it ends a hold; absent: as it was. */
  readonly control?: { readonly state: Omit<ControlState, 'revisionId'> | null; readonly by: string };
}

/** What a component serves, what holds it there, and its conditions: in memory, in the store and in the state file. */
export interface ServedState {
  served(): { readonly revisionId: number; readonly snapshot: Snapshot } | null;
  control(): ControlState | null;
  conditions(): readonly Condition[];
  lastApplied(): ComponentStatus['lastApplied'];
  /** What the remote was seen to have. */
  remoteHead: RemoteHead | null;
  isServed(snapshot: Snapshot): boolean;
  /** State file prepared, revision and control in the store, then the file in its place: a crash leaves one or the other, whole. */
  apply(revision: RevisionToApply, info: ApplyInfo): Promise<void>;
  /** Changes what holds it and nothing else. */
  setControl(state: ControlState | null, by: string): Promise<void>;
  /** Tells what changed, and repairs a state file that is missing, damaged or behind. Never rejects. */
  conclude(error?: OperationalError | null, rewrittenFrom?: string | null): Promise<void>;
}

/** The last good state, from the store or, with a new database, from the state file; contacts nobody. */
export async function openServedState(deps: ServedStateDeps): Promise<ServedState> {
  const { settings, repoUrl, store, clock, log } = deps;
  const component = settings.name;
  let served = await lastGood();
  let lastApplied = served === null ? null : await appliedAt(served.revisionId, served.snapshot);
  let control = await knownControl();
  let stateDigest: string | null | undefined;
  let conditions: readonly Condition[] = [];
  /** Those that were written with the revision that is served. */
  let filed: readonly Condition[] = [];
  const state: ServedState = {
    served: () => served,
    control: () => control,
    conditions: () => conditions,
    lastApplied: () => lastApplied,
    remoteHead: null,
    isServed: (snapshot) => snapshot.digest === served?.snapshot.digest,
    apply,
    async setControl(next, by) {
      await store.controls.set(component, next, by);
      control = next;
      deps.crashPoint('component.control_stored');
    },
    async conclude(error = null, rewrittenFrom = null) {
      try {
        await conclude(error, rewrittenFrom);
      } catch (failure) {
        log.warn({ component, reason: String(failure) }, 'the conditions could not be written');
      }
    },
  };
  conditions = nextConditions([], facts({}), clock.now());
  return state;

  /** The store's newest revision; without one (a new database) the state file, which then becomes one. */
  async function lastGood(): Promise<{ revisionId: number; snapshot: Snapshot } | null> {
    const latest = await store.components.latestSnapshot(component);
    if (latest !== null) return latest.snapshot.repo.url === repoUrl ? latest : null;
    const { snapshot, problems } = await readStateFile(settings.dir, { component, url: repoUrl });
    for (const problem of problems) log.warn({ component, problem }, 'a state file was passed over');
    if (snapshot === null) return null;
    const summary = { added: snapshot.pipelines.length, changed: 0, removed: 0 };
    const info = { trigger: { kind: 'startup' } as const, startedAt: clock.now(), summary };
    return { revisionId: await store.components.applyRevision(snapshot, info), snapshot };
  }

  async function appliedAt(revisionId: number, snapshot: Snapshot): Promise<ComponentStatus['lastApplied']> {
    const row = await store.components.revision(component, revisionId);
    return { at: row?.appliedAt ?? snapshot.takenAt, commit: snapshot.repo.commit, revisionId };
  }

  /** A hold on a revision of another repository (the address was changed) holds nothing. */
  async function knownControl(): Promise<ControlState | null> {
    const known = await store.controls.get(component);
    if (known === null || known.mode === 'suspended' || served !== null) return known;
    await store.controls.set(component, null, 'another repository');
    return null;
  }

  function facts(found: {
    readonly error?: OperationalError | null;
    readonly rewrittenFrom?: string | null;
    readonly snapshot?: Snapshot;
    readonly control?: ControlState | null;
  }): ConditionFacts {
    const { error = null, rewrittenFrom = null } = found;
    const hold = found.control === undefined ? control : found.control;
    const shown = found.snapshot ?? served?.snapshot;
    const pipelines = shown?.pipelines ?? [];
    const serving = shown?.repo.commit ?? null;
    return {
      serving,
      control: hold === null ? null : { mode: hold.mode, text: heldText(hold, serving, state.remoteHead) },
      error,
      held: pipelines.filter(({ status }) => status === 'held').map(({ name }) => name),
      errors: shown?.diagnostics.filter(({ severity }) => severity === 'error').length ?? 0,
      unset: unsetIn(shown?.diagnostics ?? []),
      pending: pipelines.filter(({ discovery }) => discovery.status === 'pending').map(({ name }) => name),
      rewrittenFrom,
    };
  }

  async function apply(revision: RevisionToApply, info: ApplyInfo): Promise<void> {
    const now = clock.now();
    const hold = info.control === undefined ? control : info.control.state;
    const next = hold === null ? null : { revisionId: null, ...hold };
    const found = facts({
      rewrittenFrom: revision.rewrittenFrom,
      snapshot: revision.snapshot,
      control: next,
    });
    const snapshot: Snapshot = {
      ...revision.snapshot,
      conditions: nextConditions(conditions, found, now),
    };
    const file = await prepareStateFile(settings.dir, snapshot);
    const { added, removed, changed } = revision.diff;
    const summary = { added: added.length, changed: changed.length, removed: removed.length };
    deps.crashPoint('component.revision_prepared');
    let revisionId: number;
    try {
      revisionId = await store.components.applyRevision(snapshot, { ...info, summary });
    } catch (error) {
      await file.discard();
      throw error;
    }
    deps.crashPoint('component.revision_stored');
    served = { revisionId, snapshot };
    filed = snapshot.conditions;
    control = info.control === undefined || next === null ? next : { ...next, revisionId };
    lastApplied = { at: now, commit: snapshot.repo.commit, revisionId };
    deps.onApplied();
    stateDigest = await file.commit().then(
      () => snapshot.digest,
      (error: unknown) => {
        log.warn({ component, reason: String(error) }, 'the state file could not be replaced');
        return null;
      },
    );
    deps.crashPoint('component.revision_filed');
  }

  async function conclude(error: OperationalError | null, rewrittenFrom: string | null): Promise<void> {
    const found = nextConditions(conditions, facts({ error, rewrittenFrom }), clock.now());
    // What was just applied says it already, with the instant from which on it holds.
    const isFiled = changedConditions(filed, found).length === 0;
    const next = isFiled ? filed : found;
    const changed = changedConditions(conditions, next);
    conditions = next;
    if (changed.length > 0) {
      await store.appendInstanceEvents(
        changed.map(({ type, status, reason, message }) => ({
          type: 'component_condition',
          component,
          condition: type,
          status,
          reason,
          message,
        })),
      );
    }
    if (served === null) return;
    stateDigest = stateDigest === undefined ? await readStateDigest(settings.dir) : stateDigest;
    if (stateDigest === served.snapshot.digest && (isFiled || changed.length === 0)) return;
    served = { ...served, snapshot: { ...served.snapshot, conditions } };
    const file = await prepareStateFile(settings.dir, served.snapshot);
    await file.commit();
    stateDigest = served.snapshot.digest;
    filed = conditions;
  }
}

function unsetIn(diagnostics: readonly Diagnostic[]): string[] {
  const unset = diagnostics.filter(({ code }) => code === 'VARIABLE_MISSING');
  return [...new Set(unset.map(({ pipeline, message }) => `${pipeline}: ${message}`))];
}

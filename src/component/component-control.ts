import type { Definitions } from '../definitions/definitions.ts';
import type { Clock } from '../lib/clock.ts';
import { OperationalError } from '../lib/errors.ts';
import type { Snapshot } from '../state/snapshot.ts';
import type { RefreshTrigger, RevisionRow, Store } from '../store/store.ts';
import type { ComponentStatus, RefreshOutcome } from './component.ts';
import type { ComponentControl, ControlMode, ControlRequest } from './control.ts';
import { driftOf } from './drift.ts';
import type { EltGithubComponent, PersonTrigger, WrittenState } from './elt-github-component.ts';
import type { NewHold } from './holds.ts';
import { resolveRevision, revisionNotFound } from './resolve-revision.ts';

export interface ComponentControlDeps {
  readonly store: Pick<Store, 'components' | 'schedules'>;
  readonly clock: Clock;
  readonly definitions: () => Definitions;
  readonly components: () => readonly ComponentStatus[];
  /** Throws `COMPONENT_UNKNOWN`. */
  readonly componentNamed: (name: string) => EltGithubComponent;
  /** Stops a refresh that is under way and runs the task in its place; what was asked for follows. */
  readonly inPlaceOfRefresh: <T>(name: string, task: (signal: AbortSignal) => Promise<T>) => Promise<T>;
  /** Tells what became of the definitions and runs what has to be discovered. */
  readonly settle: (name: string, written: WrittenState) => Promise<RefreshOutcome>;
  readonly requestRefresh: (name: string, trigger: RefreshTrigger) => Promise<RefreshOutcome>;
}

export interface MoveControl {
  /** A pipeline takes over the history of the folder that it is proposed to have come from (`PIPELINE_MOVED`). */
  acceptMove(component: string, pipeline: string, by: string): Promise<RefreshOutcome>;
}

interface Target {
  readonly row: RevisionRow;
  readonly snapshot: Snapshot;
}

/** The person's hand on the GitOps loop: each change is durable when its promise resolves. */
export function createComponentControl(
  deps: ComponentControlDeps,
): Omit<ComponentControl, 'plan'> & MoveControl {
  const { store, clock, inPlaceOfRefresh } = deps;

  function holdOf(mode: ControlMode, { by, reason, expiresAt }: ControlRequest): NewHold {
    return { mode, by, reason, expiresAt, at: clock.now() };
  }

  async function retained(component: EltGithubComponent, revision: number | string): Promise<Target | null> {
    const row = await resolveRevision(store.components, component.name, revision);
    const snapshot = row === null ? null : await store.components.snapshot(row.revisionId);
    if (row === null || snapshot === null) return null;
    const served = component.buildDefsFromState()?.snapshot;
    if (served !== undefined && served.repo.url !== snapshot.repo.url) {
      throw new OperationalError(
        'REVISION_NOT_FOUND',
        `revision ${row.revisionId} of ${component.name} is of another repository, ${snapshot.repo.url}`,
        { hint: 'only revisions of the repository that is set up now can be served' },
      );
    }
    return { row, snapshot };
  }

  async function restore(
    component: EltGithubComponent,
    { row, snapshot }: Target,
    hold: NewHold,
  ): Promise<RefreshOutcome> {
    const { name } = component;
    const written = await inPlaceOfRefresh(name, async (signal) => {
      // Within: a refresh that came first has made its revision.
      const rows = await store.components.revisions(name, { limit: 1_000 });
      const after = rows.filter(({ revisionId }) => revisionId > row.revisionId).map(({ commit }) => commit);
      return component.restore({ revisionId: row.revisionId, snapshot }, { ...hold, after }, signal);
    });
    const outcome = await deps.settle(name, written);
    // What the revision left undiscovered is read again at its own commit.
    if (snapshot.pipelines.some(({ discovery }) => discovery.status === 'pending'))
      void deps.requestRefresh(name, { kind: 'discovery' }).catch(() => undefined);
    return outcome;
  }

  /** A commit that was never applied, by its id, the beginning of it, or a tag. */
  async function commitOf(component: EltGithubComponent, text: string, signal: AbortSignal): Promise<string> {
    if (/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text)) return text;
    const mirror = component.mirror();
    const known = await mirror.history.resolve(text);
    if (known !== null) return known;
    try {
      return await mirror.remoteHead({ kind: 'tag', name: text }, signal);
    } catch (error) {
      if (!(error instanceof OperationalError) || error.code !== 'GIT_BRANCH_NOT_FOUND') throw error;
      throw new OperationalError(
        'REVISION_NOT_FOUND',
        `${component.name} has no revision, commit or tag "${text}"`,
        { hint: 'elt history shows revisions; of a commit that was never applied write the whole id' },
      );
    }
  }

  return {
    control: (name) => deps.componentNamed(name).control(),
    async rollback(name, revision, request) {
      const component = deps.componentNamed(name);
      const target = await retained(component, revision);
      if (target === null) throw revisionNotFound(name, revision);
      return restore(component, target, holdOf('rolled_back', request));
    },
    async pin(name, revision, request) {
      const component = deps.componentNamed(name);
      const hold = holdOf('pinned', request);
      const target = await retained(component, revision);
      if (target !== null) return restore(component, target, hold);
      if (typeof revision === 'number' || /^\d{1,3}$/.test(revision)) throw revisionNotFound(name, revision);
      const written = await inPlaceOfRefresh(name, async (signal) =>
        component.pinCommit(await commitOf(component, revision, signal), hold, signal),
      );
      return deps.settle(name, written);
    },
    async suspend(name, request) {
      const component = deps.componentNamed(name);
      await inPlaceOfRefresh(name, async () => {
        const mode = component.control()?.mode;
        if (mode === 'pinned' || mode === 'rolled_back') {
          throw new OperationalError(
            'CONTROL_CONFLICT',
            `${name} is ${mode === 'pinned' ? 'pinned' : 'rolled back'} already and applies nothing of the head`,
            { hint: `elt resume --component ${name} ends that; a pin also stays when newer commits come` },
          );
        }
        await component.suspend(holdOf('suspended', request));
      });
      return component.control()!;
    },
    async resume(name, by) {
      const component = deps.componentNamed(name);
      await inPlaceOfRefresh(name, async () => {
        if (component.control() !== null) await component.resume(by);
      });
      return deps.requestRefresh(name, triggerOf(by));
    },
    async acceptMove(name, pipeline, by) {
      const component = deps.componentNamed(name);
      const accept = () => component.acceptMove(pipeline, triggerOf(by));
      return deps.settle(name, await inPlaceOfRefresh(name, accept));
    },
    async drift() {
      const states = await store.schedules.states();
      return driftOf(deps.components(), deps.definitions(), states, clock.now());
    },
  };
}

/** `by` is `cli:ada`, `page` or `api`. */
function triggerOf(by: string): PersonTrigger {
  return { kind: by.startsWith('cli:') ? 'cli' : by === 'page' ? 'page' : 'api', by };
}

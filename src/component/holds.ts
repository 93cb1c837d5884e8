import type { ComponentSettings } from '../config/settings.ts';
import type { Mirror } from '../git/mirror.ts';
import type { Clock } from '../lib/clock.ts';
import { invariant } from '../lib/invariant.ts';
import { diffSnapshots } from '../state/diff.ts';
import type { Snapshot } from '../state/snapshot.ts';
import type { RefreshTrigger } from '../store/store.ts';
import type { ControlState } from './control.ts';
import type { WriteStateRequest, WrittenState } from './elt-github-component.ts';
import { fenceOf } from './fence.ts';
import type { Reconciled, ReconcileInput } from './reconcile.ts';
import type { RevisionToApply, ServedState } from './served-state.ts';

/** A hold as a person asks for it; the component adds which revision it becomes and what it keeps out. */
export type NewHold = Pick<ControlState, 'mode' | 'by' | 'at' | 'reason' | 'expiresAt'>;

/** Pin, rollback and suspension of one component. */
export interface Holds {
  /**
   * Serves an earlier revision, whole, from the store, and stays there.
   * @param hold `after`: commits that were applied after it, newest first; with the remote's head they are kept out
   * Throws when files of it are neither here nor at the remote.
   */
  restore(
    target: { readonly revisionId: number; readonly snapshot: Snapshot },
    hold: NewHold & { readonly after: readonly string[] },
    signal: AbortSignal,
  ): Promise<WrittenState>;
  /** Reads a commit, applies it and stays there. Throws what a refresh throws; then nothing changed. */
  pinCommit(sha: string, hold: NewHold, signal: AbortSignal): Promise<WrittenState>;
  /** Serves what it has, from now on. */
  suspend(hold: NewHold): Promise<void>;
  /** Ends what holds it; the next refresh applies the head. */
  resume(by: string): Promise<void>;
}

export interface HoldsDeps {
  readonly settings: Pick<ComponentSettings, 'ref'>;
  readonly state: ServedState;
  readonly clock: Clock;
  readonly mirror: () => Mirror;
  /** The head as it was last seen. */
  readonly lastSeen: () => string | null;
  readonly read: (
    request: WriteStateRequest,
    startedAt: number,
    more: Pick<ReconcileInput, 'fingerprint' | 'ref'>,
  ) => Promise<Reconciled>;
  readonly written: (
    result: Extract<Reconciled, { kind: 'revision' }>,
    isNew: boolean,
    startedAt: number,
  ) => WrittenState;
  /** The next refresh reads the head, whatever the last one had. */
  readonly forgetInputs: () => void;
}

/** How long a rollback waits for the remote to say what its head is. */
const SOON_MS = 1_500;

export function createHolds(deps: HoldsDeps): Holds {
  const { settings, state, clock, mirror } = deps;

  /** Applies with the hold, or sets the hold alone where the very same is served already. */
  async function hold(
    revision: RevisionToApply & { readonly jobs: Extract<Reconciled, { kind: 'revision' }>['jobs'] },
    wish: NewHold & { readonly fenced: readonly string[] },
    trigger: RefreshTrigger,
    startedAt: number,
  ): Promise<WrittenState> {
    const { commit } = revision.snapshot.repo;
    const control = { ...wish, commit };
    const isNew = !state.isServed(revision.snapshot);
    if (isNew) await state.apply(revision, { trigger, startedAt, control: { state: control, by: wish.by } });
    else await state.setControl({ ...control, revisionId: state.served()?.revisionId ?? null }, wish.by);
    deps.forgetInputs();
    await state.conclude();
    return deps.written(
      { kind: 'revision', commit, fingerprint: '', foldersRead: 0, ...revision },
      isNew,
      startedAt,
    );
  }

  /** Files of a revision can be gone from the mirror when it was cloned again; then the remote is asked. */
  async function bringFiles(snapshot: Snapshot, signal: AbortSignal): Promise<void> {
    const used = snapshot.pipelines.map(({ code }) => code.commit);
    const commits = [...new Set([snapshot.repo.commit, ...used])];
    const present = await mirror().history.present(commits);
    for (const sha of commits) {
      if (!present.has(sha) || !(await mirror().has(sha)))
        await mirror().fetch({ kind: 'commit', sha }, signal);
    }
    await mirror().keep(snapshot.repo.commit);
  }

  /** What the remote has now, if it answers soon: going back must not wait for the network. */
  async function headNow(signal: AbortSignal): Promise<string | null> {
    const soon = AbortSignal.any([signal, AbortSignal.timeout(SOON_MS)]);
    return mirror().remoteHead(settings.ref, soon).catch(deps.lastSeen);
  }

  async function seeHead(head: string | null, serving: string): Promise<void> {
    state.remoteHead =
      head === null ? null : { commit: head, ahead: await mirror().history.ahead(serving, head) };
  }

  return {
    async restore({ revisionId, snapshot }, { after, ...wish }, signal) {
      const startedAt = clock.now();
      await bringFiles(snapshot, signal);
      const { commit } = snapshot.repo;
      const head = await headNow(signal);
      const isRollback = wish.mode === 'rolled_back';
      const heads = [...new Set([...(head === null ? [] : [head]), ...after])];
      const earlier = state.control()?.fenced ?? [];
      const fenced = isRollback ? await fenceOf(mirror().history, commit, heads, earlier) : [];
      await seeHead(head, commit);
      const diff = diffSnapshots(state.served()?.snapshot ?? null, snapshot);
      const trigger = { kind: isRollback ? 'rollback' : 'pin', by: wish.by, revisionId } as const;
      return hold({ snapshot, diff, rewrittenFrom: null, jobs: [] }, { ...wish, fenced }, trigger, startedAt);
    },
    async pinCommit(sha, wish, signal) {
      const startedAt = clock.now();
      const trigger = { kind: 'pin', by: wish.by, revisionId: null } as const;
      const result = await deps.read({ trigger, allowPrune: false, signal }, startedAt, {
        fingerprint: null,
        ref: { kind: 'commit', sha },
      });
      invariant(result.kind === 'revision', 'without a fingerprint a commit is read');
      await seeHead(await headNow(signal), result.commit);
      return hold(result, { ...wish, fenced: [] }, trigger, startedAt);
    },
    async suspend(wish) {
      await state.setControl({ ...wish, revisionId: null, commit: null, fenced: [] }, wish.by);
      await state.conclude();
    },
    async resume(by) {
      await state.setControl(null, by);
      deps.forgetInputs();
      await state.conclude();
    },
  };
}

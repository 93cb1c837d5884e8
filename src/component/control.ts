import type { Instant } from '../lib/clock.ts';
import type { RevisionPlan } from '../plan/revision-plan.ts';
import type { RefreshOutcome } from './component.ts';
import type { WorkingCopy } from './working-copy.ts';

/**
 * What a person set over what Git says. `pinned`: serves one revision until resumed. `rolled_back`: the same, and ends by
 * itself when the branch gets a commit newer than the fenced ones. `suspended`: serves what it has, applies nothing.
 */
export type ControlMode = 'pinned' | 'rolled_back' | 'suspended';

export interface ControlState {
  readonly mode: ControlMode;
  /** What is served; of `suspended` null (whatever was served). */
  readonly revisionId: number | null;
  readonly commit: string | null;
  /** Of a rollback: commits that came after it and must not be applied again. */
  readonly fenced: readonly string[];
  readonly by: string;
  readonly at: Instant;
  readonly reason: string;
  /** When it ends by itself; null: only by `resume`. */
  readonly expiresAt: Instant | null;
}

export interface ControlRequest {
  readonly by: string;
  readonly reason: string;
  readonly expiresAt: Instant | null;
}

/** An override of what Git says: shown as drift. */
export interface Drift {
  readonly kind: 'pin' | 'rollback' | 'suspend' | 'schedule';
  readonly component: string;
  /** Schedule name, or the component's. */
  readonly target: string;
  /** As Git has it, as it is: `RUNNING` → `STOPPED`, `main@abc` → `def`. */
  readonly git: string;
  readonly actual: string;
  readonly by: string;
  readonly at: Instant;
  readonly reason: string;
  readonly expiresAt: Instant | null;
}

/**
 * Which state to compare: a revision of the component by its id or commit, any ref of its remote, or the files of a working
 * directory. Who has the directory reads it and hands over what it holds: nobody names a path of the service's machine.
 */
export type PlanTarget =
  | { readonly kind: 'revision'; readonly revision: number | string }
  | { readonly kind: 'ref'; readonly ref: string }
  | { readonly kind: 'directory'; readonly label: string; readonly copy: WorkingCopy }
  /** The newest head of the component's branch. */
  | { readonly kind: 'head' };

/** The person's hand on the GitOps loop. Errors: `REVISION_NOT_FOUND`, `COMPONENT_UNKNOWN`, `CONTROL_CONFLICT`, Git's. */
export interface ComponentControl {
  control(component: string): ControlState | null;
  /** Restores definitions, schedules and partition definitions of an earlier revision, whole, and stays there. */
  rollback(component: string, revision: number | string, request: ControlRequest): Promise<RefreshOutcome>;
  pin(component: string, revision: number | string, request: ControlRequest): Promise<RefreshOutcome>;
  suspend(component: string, request: ControlRequest): Promise<ControlState>;
  /** Ends pin, rollback or suspension and refreshes. */
  resume(component: string, by: string): Promise<RefreshOutcome>;
  drift(): Promise<readonly Drift[]>;
  /** `from` absent: what is served now. */
  plan(component: string, target: PlanTarget, from?: PlanTarget): Promise<RevisionPlan>;
}

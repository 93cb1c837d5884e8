import type { AutomationView } from '../automation/asset-view.ts';
import type { Explanation } from '../automation/explanation.ts';
import type { Instant } from '../lib/clock.ts';
import type { PartitionsDefinition } from '../partitions/definition/partitions-definition.ts';
import type { RunPlan } from '../plan/run-plan.ts';
import type { StepSpec } from '../plan/step-spec.ts';
import type { NewBackfill } from './backfill-store.ts';
import type { LaunchRecord } from './store.ts';

export interface AutomationSubject {
  readonly key: string;
  /** The asset's present definition; null: unpartitioned. */
  readonly partitions: PartitionsDefinition | null;
  readonly checks: readonly string[];
  /** `writesSince` and `resultsSince` will be asked with this event or a later one; 0: with any. */
  readonly writesAfter: number;
}

/** What came of one asset's or check's condition at one evaluation; stored when it is worth it. */
export interface EvaluationRow {
  /** `<evaluation>/<entity>`; the evaluation part is the `evaluationId` of a run's cause. */
  readonly evaluationId: string;
  readonly assetKey: string;
  readonly checkName: string | null;
  readonly at: Instant;
  readonly requested: number;
  /** First requested keys as spans; empty without partitions. */
  readonly spans: readonly { readonly start: string; readonly end: string; readonly count: number }[];
  /** Of what it launched, the runs that write this asset. */
  readonly runIds: readonly string[];
  /** What it asked for is so much that a backfill runs it; null: `runIds` do. */
  readonly backfillId: string | null;
  /** The condition as written. */
  readonly condition: string;
  /** Null in lists. */
  readonly explanation: Explanation | null;
}

export interface NewEvaluation extends Omit<EvaluationRow, 'evaluationId' | 'at' | 'runIds' | 'backfillId'> {
  readonly explanation: Explanation;
}

export interface AutomationStore {
  /** Every answer as of one event. Cheap where nothing changed: work follows what changed, not what exists. */
  view(subjects: readonly AutomationSubject[]): Promise<AutomationView>;
  /** Ids of static keys in the store's dictionary, in which cursors are written; new keys are given one. */
  staticIds(keys: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Encoded cursors by entity. */
  cursors(): Promise<ReadonlyMap<string, string>>;
  /** Cursors, evaluations and the launch of what was requested: one transaction. Same id twice: the earlier launch. */
  record(evaluation: {
    readonly evaluationId: string;
    readonly at: Instant;
    /** Only those that differ from what is stored. */
    readonly cursors: ReadonlyMap<string, string>;
    readonly forgotten: readonly string[];
    readonly evaluations: readonly NewEvaluation[];
    /** What is to run now; none when a backfill takes it. */
    readonly plans: readonly RunPlan[];
    readonly backfill: NewBackfill | null;
    readonly specs: (plan: RunPlan) => Readonly<Record<string, StepSpec>>;
  }): Promise<LaunchRecord | null>;
  /** Newest first, without explanations. `cursor`: before this id. */
  evaluations(filter: {
    readonly assetKey?: string;
    /** Only those that requested something. */
    readonly requestedOnly?: boolean;
    readonly cursor?: string;
    readonly limit: number;
  }): Promise<readonly EvaluationRow[]>;
  evaluation(evaluationId: string): Promise<EvaluationRow | null>;
  /** Of assets themselves, not of their checks: the newest evaluation, and the newest that requested something. */
  newest(
    assetKeys: readonly string[],
  ): Promise<
    ReadonlyMap<
      string,
      { readonly latest: EvaluationRow | null; readonly latestRequest: EvaluationRow | null }
    >
  >;
  /** Evaluations before this are deleted, the newest of each asset kept. */
  prune(before: Instant): Promise<number>;
}

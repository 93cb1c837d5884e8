import type { Limits, PipelineConfig } from '../discovery/pipeline-config.ts';
import type { PlannedAsset, StepPlan } from './run-plan.ts';

/** Less than 1 kB, all that a transport ever carries of a step. */
export interface StepRef {
  readonly runId: string;
  readonly stepKey: string;
  /** The fence. */
  readonly attempt: number;
  /** From labels and volume: `default`, `vol:local`. */
  readonly queue: string;
  readonly timeoutMs: number | null;
  readonly leaseTtlMs: number;
}

/**
 * All that a process anywhere needs to run one attempt. Nothing of a machine: code by commit and tree id, environment by
 * Python version and lock digest, secrets by name.
 */
export interface StepSpec
  extends Pick<
    StepPlan,
    | 'component'
    | 'pipeline'
    | 'code'
    | 'tool'
    | 'partitions'
    | 'partitionKeys'
    | 'partitionDimensions'
    | 'window'
    | 'timezone'
    | 'python'
    | 'lockDigest'
    | 'volume'
    | 'pools'
    | 'fullRefresh'
    | 'operation'
  > {
  readonly v: 1;
  readonly ref: StepRef;
  /** The folder's configuration at that commit. */
  readonly config: PipelineConfig;
  /** What is left to write: the plan's assets without those that earlier attempts finished. */
  readonly assets: readonly PlannedAsset[];
  /** What earlier attempts finished: to be checked by the attempt that finishes the rest. Absent: nothing. */
  readonly written?: readonly PlannedAsset[];
  /** The first of the runs that were made, each as the retry of the one before, by a policy. Absent: this one. */
  readonly firstRunId?: string;
  readonly runConfig: Readonly<Record<string, unknown>>;
  readonly retriesSpent: number;
  readonly timeoutMs: number | null;
  readonly graceMs: number;
  /** The folder's, over the instance's. Absent: none. */
  readonly limits?: Limits;
}

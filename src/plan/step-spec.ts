import type { PipelineConfig, Tool } from '../discovery/pipeline-config.ts';
import type { TimeWindow } from '../partitions/instant.ts';
import type { CodeRef } from '../state/code-ref.ts';
import type { PartitionSelection, PlannedAsset } from './run-plan.ts';

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
export interface StepSpec {
  readonly v: 1;
  readonly ref: StepRef;
  readonly component: string;
  readonly pipeline: string;
  readonly code: CodeRef;
  readonly tool: Tool;
  /** The folder's configuration at that commit. */
  readonly config: PipelineConfig;
  /** What is left to write: the plan's assets without those that earlier attempts finished. */
  readonly assets: readonly PlannedAsset[];
  readonly partitions: PartitionSelection;
  readonly partitionKeys: readonly string[];
  readonly partitionDimensions: Readonly<Record<string, string>>;
  readonly window: TimeWindow | null;
  readonly timezone: string;
  readonly python: string;
  readonly lockDigest: string;
  readonly volume: string | null;
  readonly pools: readonly string[];
  readonly fullRefresh: boolean;
  readonly runConfig: Readonly<Record<string, unknown>>;
  readonly retriesSpent: number;
  readonly timeoutMs: number | null;
  readonly graceMs: number;
}

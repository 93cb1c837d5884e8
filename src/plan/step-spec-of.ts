import type { Definitions } from '../definitions/definitions.ts';
import { pipelineOf } from './plan-steps.ts';
import type { PartitionSelection, RunPlan, StepPlan } from './run-plan.ts';
import type { StepSpec } from './step-spec.ts';

/** Time between the cancel signal and SIGKILL. */
const GRACE_MS = 30_000;
/**
 * How long a step runs on while nobody renews its lease. Embedded: long, so that a restarted service finds its steps
 * alive (`engine.md`).
 */
const LEASE_TTL_MS = 600_000;

/**
 * The specs of a plan's steps for attempt 0; the store fills in the attempt, and leaves out assets that earlier attempts
 * finished.
 */
export function stepSpecs(definitions: Definitions, plan: RunPlan): Readonly<Record<string, StepSpec>> {
  return Object.fromEntries(
    plan.steps.map((step): [string, StepSpec] => {
      const { config } = pipelineOf(definitions, step);
      const limits = { ...definitions.instance.limits, ...config.limits };
      const timeoutMs = step.timeoutSeconds === null ? null : step.timeoutSeconds * 1000;
      return [
        step.stepKey,
        {
          v: 1,
          ref: {
            runId: plan.runId,
            stepKey: step.stepKey,
            attempt: 0,
            queue: step.volume === null ? 'default' : `vol:${step.volume}`,
            timeoutMs,
            leaseTtlMs: LEASE_TTL_MS,
          },
          component: step.component,
          pipeline: step.pipeline,
          code: step.code,
          tool: step.tool,
          config,
          assets: step.assets,
          ...(step.operation === undefined ? {} : { operation: step.operation }),
          partitions: partitionsOf(step),
          partitionKeys: step.partitionKeys,
          partitionDimensions: step.partitionDimensions,
          window: step.window,
          timezone: step.timezone,
          python: step.python,
          lockDigest: step.lockDigest,
          volume: step.volume,
          pools: step.pools,
          fullRefresh: step.fullRefresh,
          runConfig: plan.config,
          retriesSpent: 0,
          timeoutMs,
          graceMs: GRACE_MS,
          ...(Object.keys(limits).length === 0 ? {} : { limits }),
        },
      ];
    }),
  );
}

/** A step with an operation writes no partition; the one that its code is looked at with is as in a load. */
function partitionsOf({ operation, partitions, partitionKeys }: StepPlan): PartitionSelection {
  const [key] = partitionKeys;
  return operation === undefined || key === undefined ? partitions : { kind: 'key', key };
}

import type { RunState, StepState } from '../events/run-state.ts';
import type { Cause, RunPlan, RunRequest, StepPlan } from '../plan/run-plan.ts';
import type { StepSpec } from '../plan/step-spec.ts';

/**
 * The plan of a run that does an ended run again, at the same code: from its failure (steps that did not succeed, of
 * these the assets that are not written yet), or whole.
 * @returns null if there is nothing to do again
 */
export function retryPlan(
  plan: RunPlan,
  state: RunState,
  options: {
    readonly fromFailure: boolean;
    readonly cause: Cause;
    readonly runId: string;
    readonly launchId: string;
    readonly runRetriesLeft: number;
  },
): RunPlan | null {
  const { fromFailure, cause, runId, launchId, runRetriesLeft } = options;
  const kept = plan.steps.filter((step) => !fromFailure || !hasSucceeded(state, step.stepKey));
  if (kept.length === 0) return null;
  const keys = new Set(kept.map((step) => step.stepKey));
  const steps = kept.map((step) => ({
    ...step,
    needs: step.needs.filter((need) => keys.has(need)),
    assets: fromFailure ? unwritten(step, state) : step.assets,
  }));
  // Runs that this one waited for have ended: whoever asks for a retry means now.
  return { ...plan, runId, launchId, steps, after: [], waitsFor: [], cause, runRetriesLeft };
}

/** The same work as a request, to be planned with today's definitions and commits. */
export function retryRequest(
  plan: RunPlan,
  state: RunState,
  options: { readonly fromFailure: boolean; readonly cause: Cause },
): RunRequest {
  const { partitions } = plan;
  const kept = plan.steps.filter((step) => !options.fromFailure || !hasSucceeded(state, step.stepKey));
  return {
    ...operationOf(plan),
    assets: kept
      .flatMap((step) => (options.fromFailure ? unwritten(step, state) : step.assets))
      .map((asset) => asset.key),
    partitions: partitions.kind === 'key' ? { kind: 'keys', keys: [partitions.key] } : partitions,
    fullRefresh: plan.steps.some((step) => step.fullRefresh),
    config: plan.config,
    tags: plan.tags,
    priority: plan.priority,
    cause: options.cause,
  };
}

/**
 * The spec of a step of a retry: the old run's, with its configuration at that commit, for the new run. From a failure
 * that came in the middle of its checks, when everything was written, the step only checks.
 */
export function retrySpec(
  spec: StepSpec,
  runId: string,
  step: StepPlan,
  old: {
    readonly state: StepState | undefined;
    readonly fromFailure: boolean;
    /** A policy asks for it; somebody who does knows what the old run wrote. */
    readonly isAutomatic: boolean;
  },
): StepSpec {
  const before = spec.written ?? [];
  const isUnchecked =
    old.fromFailure &&
    spec.assets.length === 0 &&
    old.state?.error?.code !== 'BLOCKING_CHECK_FAILED' &&
    before.some(({ declaredChecks }) => declaredChecks !== undefined);
  const assets = isUnchecked ? [] : step.assets;
  const keys = new Set(assets.map((asset) => asset.key));
  const written = before.filter((asset) => !keys.has(asset.key));
  const { written: _, firstRunId, ...rest } = spec;
  return {
    ...rest,
    ref: { ...spec.ref, runId, attempt: 0 },
    ...(old.isAutomatic ? { firstRunId: firstRunId ?? spec.ref.runId } : {}),
    assets,
    ...(written.length === 0 ? {} : { written }),
    retriesSpent: 0,
  };
}

function operationOf({ steps }: RunPlan): Pick<RunRequest, 'operation'> {
  const [step] = steps;
  if (step?.operation === undefined) return {};
  return { operation: { ...step.operation, component: step.component, pipeline: step.pipeline } };
}

function hasSucceeded(state: RunState, stepKey: string): boolean {
  return state.steps[stepKey]?.status === 'succeeded';
}

/** All of them if none is left: a step whose last asset failed a blocking check is asked to make it again. */
function unwritten(step: StepPlan, state: RunState): StepPlan['assets'] {
  const finished = state.steps[step.stepKey]?.finishedAssets ?? [];
  const left = step.assets.filter((asset) => !finished.includes(asset.key));
  return left.length === 0 ? step.assets : left;
}

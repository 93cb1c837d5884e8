import type { StepSpec } from '../plan/step-spec.ts';

/**
 * The run by which runners name what they remember of a step between its attempts: the first one, also in runs that a
 * policy made to try it again. What was written under this name is not written again.
 */
export function workRunId({ firstRunId, ref }: StepSpec): string {
  return firstRunId ?? ref.runId;
}

import type { EngineEvent } from '../events/run-event.ts';
import type { StepState } from '../events/run-state.ts';
import type { StepPlan } from '../plan/run-plan.ts';
import { retryDelay } from './retry.ts';
import { seededRandom } from './seeded-random.ts';

/**
 * A lost worker says nothing about the user's code; one that is frozen can swallow many attempts within seconds, so the
 * cap is a time, not a count (`engine.md`).
 */
const LOST_CAP_MS = 600_000;
/** How long a locked database file is waited for when the step has no time-out of its own. */
const BUSY_CAP_MS = 3_600_000;
const LONGEST_DELAY_MS = 30_000;
const SHORTEST_DELAY_MS = 1_000;

type Verdict = Extract<EngineEvent, { type: 'step_retry_scheduled' | 'step_gave_up' }>;

/**
 * What happens to a step whose attempt failed or was lost, by the rules of `semantics.md` "Retries".
 * @param now epoch milliseconds of the store
 */
export function judgeFailure(runId: string, plan: StepPlan, step: StepState, now: number): Verdict {
  const gaveUp: Verdict = { type: 'step_gave_up', stepKey: step.stepKey, attempt: step.attempt };
  const failureClass = step.error?.failureClass ?? 'lost';
  switch (failureClass) {
    case 'config':
      return gaveUp;
    // Also when every asset is written: the next attempt then has nothing to do and succeeds.
    case 'lost':
    case 'environment':
      return waitUnspent(LOST_CAP_MS);
    case 'resource_busy':
      return waitUnspent(plan.timeoutSeconds === null ? BUSY_CAP_MS : plan.timeoutSeconds * 1000);
    default:
      return spendRetry();
  }

  /** The wait doubles, because it is as long as the series of such attempts already is. */
  function waitUnspent(capMs: number): Verdict {
    const since = now - (step.lostSince ?? now);
    if (since >= capMs) return gaveUp;
    const delay = Math.min(Math.max(since, SHORTEST_DELAY_MS), LONGEST_DELAY_MS) * (0.8 + 0.4 * chance());
    return scheduled(Math.round(delay), step.retriesSpent);
  }

  function spendRetry(): Verdict {
    const policy = plan.retry;
    if (policy === null || step.retriesSpent >= policy.maxRetries || isWritten(plan, step)) return gaveUp;
    const nth = step.retriesSpent + 1;
    return scheduled(Math.round(retryDelay(policy, nth, chance) * 1000), nth);
  }

  function scheduled(delayMs: number, retriesSpent: number): Verdict {
    return {
      type: 'step_retry_scheduled',
      stepKey: step.stepKey,
      attempt: step.attempt,
      retryAt: now + delayMs,
      delaySeconds: delayMs / 1000,
      failureClass,
      retriesSpent,
    };
  }

  function chance(): number {
    return seededRandom(`${runId}/${step.stepKey}/${step.attempt}`);
  }
}

/**
 * Nothing is left for a retry to do, or it would load once more what a blocking check found bad: loads and scripts that
 * append would double their rows. A model of dbt comes out the same. What is written and not checked yet is left to do.
 */
export function isWritten(plan: StepPlan, step: StepState): boolean {
  const isFoundBad = step.error?.code === 'BLOCKING_CHECK_FAILED';
  if (isFoundBad && plan.tool !== 'dbt') return true;
  const isLeft = plan.assets.some(({ key }) => !step.finishedAssets.includes(key));
  if (plan.assets.length === 0 || isLeft) return false;
  return isFoundBad || !plan.assets.some(({ declaredChecks }) => declaredChecks !== undefined);
}

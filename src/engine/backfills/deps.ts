import type { Definitions } from '../../definitions/definitions.ts';
import type { Clock } from '../../lib/clock.ts';
import type { CrashHook } from '../../lib/crash-points.ts';
import type { Logger } from '../../lib/log.ts';
import type { RunPlan } from '../../plan/run-plan.ts';
import type { StepSpec } from '../../plan/step-spec.ts';
import type { AdmissionLimits, Store } from '../../store/store.ts';
import type { RunEngine } from '../run-engine.ts';
import type { BackfillCrashPoint } from './crash-points.ts';

export interface BackfillEngineDeps {
  readonly store: Pick<Store, 'assets' | 'backfills'>;
  readonly runs: Pick<RunEngine, 'cancel' | 'finished' | 'wake'>;
  readonly definitions: () => Definitions;
  /** Asked anew at each look. */
  readonly limits: () => AdmissionLimits;
  readonly stepSpecs: (definitions: Definitions, plan: RunPlan) => Readonly<Record<string, StepSpec>>;
  readonly newId: () => string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly crashPoint: CrashHook<BackfillCrashPoint>;
}

/**
 * Unfinished runs of one backfill at once, whatever it asks for: enough that no step waits for the next look, few enough
 * that the queue stays short and that a pause holds at once.
 */
export function runsAtOnce(limits: AdmissionLimits, maxConcurrent: number | undefined): number {
  return Math.max(1, Math.min(2 * limits.maxSteps + 4, maxConcurrent ?? Number.POSITIVE_INFINITY));
}

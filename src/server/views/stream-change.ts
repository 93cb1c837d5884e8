import type { Definitions } from '../../definitions/definitions.ts';
import type { EventRecord, LoggedEvent } from '../../events/run-event.ts';
import type { RunPlan } from '../../plan/run-plan.ts';
import type { StreamChange } from '../contract/instance.ts';
import { payloadOf, typeOf } from './event-view.ts';
import { timestamp } from './view-context.ts';

/**
 * A row of the log as the event stream has it, with the assets that a page has to look at again.
 * @param plan of the event's run; null when the event has no run
 */
export function streamChange(
  record: EventRecord,
  definitions: Definitions,
  plan: RunPlan | null,
): StreamChange {
  const { event } = record;
  return {
    event_id: record.eventId,
    at: timestamp(record.at),
    type: typeOf(event),
    run_id: record.runId,
    step_key: record.stepKey,
    attempt: record.attempt,
    asset_keys: plan === null ? assetsOf(event, definitions) : assetsOfRun(record, plan),
    component: 'component' in event ? event.component : null,
    schedule: 'schedule' in event ? event.schedule : scheduleOf(plan),
    backfill_id: backfillOf(event, plan),
    payload: payloadOf(event),
  };
}

function assetsOfRun({ event, stepKey }: EventRecord, plan: RunPlan): string[] {
  if ('asset_key' in event && typeof event.asset_key === 'string') return [event.asset_key];
  const steps = stepKey === null ? plan.steps : plan.steps.filter((step) => step.stepKey === stepKey);
  return [...new Set(steps.flatMap((step) => step.assets.map((asset) => asset.key)))];
}

function assetsOf(event: LoggedEvent, definitions: Definitions): string[] {
  if (event.type === 'tick' || event.type === 'schedule_changed') {
    return [...(definitions.schedules.get(event.schedule)?.assets ?? [])];
  }
  if (event.type === 'freshness_changed') return [event.assetKey];
  if (event.type === 'automation_evaluated') return [...event.assetKeys];
  if (event.type === 'discovery_progress') {
    const pipeline = definitions.pipelines.get(`${event.component}/${event.pipeline}`);
    return pipeline?.assets.map((asset) => asset.key) ?? [];
  }
  return [];
}

function scheduleOf(plan: RunPlan | null): string | null {
  return plan?.cause.kind === 'schedule' ? plan.cause.schedule : null;
}

/** A retry of one of its runs belongs to the backfill as the run did; it carries the run's tags. */
function backfillOf(event: LoggedEvent, plan: RunPlan | null): string | null {
  if (event.type === 'backfill_changed') return event.backfillId;
  if (plan?.cause.kind === 'backfill') return plan.cause.backfillId;
  const isRetry = plan?.cause.kind === 'retry' || plan?.cause.kind === 'run_retry';
  return isRetry ? (plan.tags['backfill'] ?? null) : null;
}

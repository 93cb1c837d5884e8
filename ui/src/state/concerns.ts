import type { StreamChange } from '../../../src/server/contract/instance.ts';

/** Which events of the stream change which part of the API. */
const RUN_TYPES =
  /^(run_|step_(dispatched|started|succeeded|failed|canceled|lost|retry_scheduled|gave_up|skipped|dropped))/;
const ASSET_TYPES = /^(materialization|check|freshness_changed)$/;
const DEFINITION_TYPES = /^(revision_applied|definitions_published|discovery_progress)$/;

export function isRunEvent(change: StreamChange): boolean {
  return RUN_TYPES.test(change.type);
}

export function isDefinitionEvent(change: StreamChange): boolean {
  return DEFINITION_TYPES.test(change.type);
}

/** Not each log line or progress report: what changes a state. */
function isAssetEvent(change: StreamChange): boolean {
  return isRunEvent(change) || ASSET_TYPES.test(change.type);
}

export function concernsAssets(change: StreamChange): boolean {
  return (
    isDefinitionEvent(change) || (isAssetEvent(change) && change.asset_keys.length > 0) || isSchedule(change)
  );
}

export function concernsAsset(key: string): (change: StreamChange) => boolean {
  return (change) =>
    isDefinitionEvent(change) ||
    ((isAssetEvent(change) || isEvaluation(change)) && change.asset_keys.includes(key)) ||
    isSchedule(change);
}

/** Runs, ticks to come, revisions. */
export function concernsTimeline(change: StreamChange): boolean {
  return isRunEvent(change) || isDefinitionEvent(change) || isSchedule(change);
}

/** What conditions asked for; of one asset, or of all. */
export function concernsAutomation(key?: string): (change: StreamChange) => boolean {
  return (change) =>
    isDefinitionEvent(change) ||
    (isEvaluation(change) && (key === undefined || change.asset_keys.includes(key)));
}

function isEvaluation(change: StreamChange): boolean {
  return change.type === 'automation_evaluated';
}

export function concernsRun(runId: string): (change: StreamChange) => boolean {
  return (change) =>
    change.run_id === runId &&
    (isAssetEvent(change) || change.type === 'progress' || change.type.startsWith('stage_'));
}

/** Its own changes, and what becomes of its runs. */
export function isBackfillEvent(change: StreamChange): boolean {
  return change.backfill_id !== null && (change.type === 'backfill_changed' || isAssetEvent(change));
}

export function concernsBackfill(backfillId: string): (change: StreamChange) => boolean {
  return (change) => change.backfill_id === backfillId && isBackfillEvent(change);
}

export function concernsComponents(change: StreamChange): boolean {
  return (
    isDefinitionEvent(change) || change.type === 'component_condition' || change.type === 'control_changed'
  );
}

/** What people set over what Git says. */
export function concernsDrift(change: StreamChange): boolean {
  return concernsComponents(change) || isSchedule(change);
}

export function concernsSchedules(change: StreamChange): boolean {
  return isDefinitionEvent(change) || isSchedule(change);
}

export function concernsInstance(change: StreamChange): boolean {
  return (
    isRunEvent(change) ||
    concernsComponents(change) ||
    isSchedule(change) ||
    isAlert(change) ||
    change.type === 'environment_progress'
  );
}

/** Rules and channels, and what was told. */
export function concernsAlerts(change: StreamChange): boolean {
  return isDefinitionEvent(change) || isAlert(change);
}

function isAlert(change: StreamChange): boolean {
  return change.type === 'alert_changed';
}

function isSchedule(change: StreamChange): boolean {
  return change.type === 'tick' || change.type === 'schedule_changed';
}

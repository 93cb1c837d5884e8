import type { AutomationCondition } from './condition.ts';
import { and, newlyTrue, not, or, since, sinceLastHandled, withLabel } from './operators.ts';

// Conditions made of others, as Dagster makes them; the last six are what teams define on top of them.

const latest: AutomationCondition = { kind: 'in_latest_time_window' };

export function inProgress(): AutomationCondition {
  return withLabel(or({ kind: 'run_in_progress' }, { kind: 'backfill_in_progress' }), 'in_progress');
}

export function newlyMissing(): AutomationCondition {
  return withLabel(newlyTrue({ kind: 'missing' }), 'newly_missing');
}

/** A dependency was updated by a run that does not update this asset too, or will be requested with it. */
export function anyDepsUpdated(): AutomationCondition {
  const byOthers = withLabel(
    and({ kind: 'newly_updated' }, not({ kind: 'executed_with_root_target' })),
    'newly_updated_without_root',
  );
  const operand = or(byOthers, { kind: 'will_be_requested' });
  return withLabel({ kind: 'any_deps_match', operand }, 'any_deps_updated');
}

/** Something that is needed is missing and will not be requested either. */
export function anyDepsMissing(): AutomationCondition {
  const operand = and({ kind: 'missing' }, not({ kind: 'will_be_requested' }));
  return withLabel({ kind: 'any_deps_match', operand }, 'any_deps_missing');
}

export function anyDepsInProgress(): AutomationCondition {
  return withLabel({ kind: 'any_deps_match', operand: inProgress() }, 'any_deps_in_progress');
}

/** Each blocking check of each dependency passed on the newest write, or will be requested. */
export function allDepsBlockingChecksPassed(): AutomationCondition {
  const operand: AutomationCondition = {
    kind: 'all_checks_match',
    operand: or({ kind: 'check_passed' }, { kind: 'will_be_requested' }),
    blockingOnly: true,
    label: 'all_blocking_checks_passed',
  };
  return {
    kind: 'all_deps_match',
    operand,
    everyPartition: true,
    label: 'all_deps_blocking_checks_passed',
  };
}

export function allDepsUpdatedSinceCron(cron: string, timezone: string): AutomationCondition {
  const updated = since({ kind: 'newly_updated' }, { kind: 'cron_tick_passed', cron, timezone });
  const operand = or(updated, { kind: 'will_be_requested' });
  const label = `all_deps_updated_since_cron(${cron}, ${timezone})`;
  return withLabel({ kind: 'all_deps_match', operand }, label);
}

export function eager(): AutomationCondition {
  const condition = and(
    latest,
    sinceLastHandled(or(newlyMissing(), anyDepsUpdated())),
    not(anyDepsMissing()),
    not(anyDepsInProgress()),
    not(inProgress()),
  );
  return withLabel(condition, 'eager');
}

export function onCron(cron: string, timezone: string): AutomationCondition {
  const condition = and(
    latest,
    sinceLastHandled({ kind: 'cron_tick_passed', cron, timezone }),
    allDepsUpdatedSinceCron(cron, timezone),
  );
  return withLabel(condition, `on_cron(${cron}, ${timezone})`);
}

export function onMissing(): AutomationCondition {
  const missing = withLabel(sinceLastHandled(newlyTrue({ kind: 'missing' })), 'missing_since_last_handled');
  return withLabel(and(latest, missing, not(anyDepsMissing())), 'on_missing');
}

/** A tick passed, whatever the dependencies. */
export function onSchedule(cron: string, timezone: string): AutomationCondition {
  const condition = and(latest, sinceLastHandled({ kind: 'cron_tick_passed', cron, timezone }));
  return withLabel(condition, `on_schedule(${cron}, ${timezone})`);
}

/** The code changed, or the partition became missing: for what only its own definition can make stale. */
export function missingOrChanged(): AutomationCondition {
  const trigger = or({ kind: 'code_version_changed' }, newlyMissing());
  return withLabel(and(latest, sinceLastHandled(trigger), not(inProgress())), 'missing_or_changed');
}

/** When something downstream would run, or as `missing_or_changed`. */
export function lazy(): AutomationCondition {
  return withLabel(or({ kind: 'any_downstream_conditions' }, missingOrChanged()), 'lazy');
}

/** Once per tick, when every dependency was updated since; never while it runs. */
export function lazyOnCron(cron: string, timezone: string): AutomationCondition {
  const condition = and(
    latest,
    sinceLastHandled({ kind: 'cron_tick_passed', cron, timezone }),
    allDepsUpdatedSinceCron(cron, timezone),
    not(inProgress()),
  );
  return withLabel(condition, `lazy_on_cron(${cron}, ${timezone})`);
}

export function eagerWithDepsChecks(): AutomationCondition {
  return withLabel(and(eager(), allDepsBlockingChecksPassed()), 'eager_with_deps_checks');
}

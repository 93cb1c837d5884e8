import type { Definitions } from '../definitions/definitions.ts';
import type { Instant } from '../lib/clock.ts';
import type { ScheduleStateRow } from '../store/store.ts';
import type { ComponentStatus } from './component.ts';
import type { ControlMode, Drift } from './control.ts';

const KINDS = {
  pinned: 'pin',
  rolled_back: 'rollback',
  suspended: 'suspend',
} as const satisfies Record<ControlMode, Drift['kind']>;

/** What people set over what Git says, holds first; an override that says what Git says too is none. */
export function driftOf(
  components: readonly ComponentStatus[],
  definitions: Definitions,
  schedules: readonly ScheduleStateRow[],
  now: Instant,
): readonly Drift[] {
  return [
    ...components.flatMap(holdDrift),
    ...schedules.flatMap((state) => scheduleDrift(definitions, state, now)),
  ];
}

function holdDrift({ name, ref, control, remoteHead, snapshot }: ComponentStatus): Drift[] {
  if (control === null) return [];
  const { mode, by, at, reason, expiresAt } = control;
  const head = remoteHead === null ? '' : `@${remoteHead.commit.slice(0, 12)}`;
  const actual = snapshot === null ? 'nothing' : snapshot.repo.commit.slice(0, 12);
  return [
    {
      kind: KINDS[mode],
      component: name,
      target: name,
      git: `${ref}${head}`,
      actual,
      by,
      at,
      reason,
      expiresAt,
    },
  ];
}

function scheduleDrift(
  definitions: Definitions,
  { schedule, override }: ScheduleStateRow,
  now: Instant,
): Drift[] {
  const definition = definitions.schedules.get(schedule);
  if (definition === undefined || override === null) return [];
  const { component, config } = definition;
  const { status, by, at, reason = '', expiresAt = null } = override;
  if (status === config.defaultStatus || (expiresAt !== null && expiresAt <= now)) return [];
  return [
    {
      kind: 'schedule',
      component,
      target: schedule,
      git: config.defaultStatus,
      actual: status,
      by,
      at,
      reason,
      expiresAt,
    },
  ];
}

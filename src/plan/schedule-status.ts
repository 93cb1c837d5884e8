import type { ScheduleDefinition } from '../definitions/definitions.ts';
import type { Instant } from '../partitions/instant.ts';

export type ScheduleStatus = 'RUNNING' | 'STOPPED';

/** What a person set over Git's status; `expiresAt` absent: until a person changes it. */
export interface ScheduleOverride {
  readonly status: ScheduleStatus;
  readonly expiresAt?: Instant;
}

/** As set on the page or the CLI as long as that holds, else as Git says. */
export function scheduleStatus(
  { config }: Pick<ScheduleDefinition, 'config'>,
  override: ScheduleOverride | null | undefined,
  now: Instant,
): ScheduleStatus {
  const holds = override != null && (override.expiresAt === undefined || override.expiresAt > now);
  return holds ? override.status : config.defaultStatus;
}

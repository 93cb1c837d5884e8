import type { Definitions } from '../definitions/definitions.ts';
import type { InstanceEvent } from '../events/run-event.ts';
import type { Instant } from '../lib/clock.ts';
import { wasMissed } from '../plan/due-ticks.ts';
import { type AlertItem, firstLine } from './alert-item.ts';
import { named } from './run-items.ts';

type Known = Pick<Definitions, 'assets' | 'schedules'>;

/** An asset became stale; null: it became fresh, or it is not ours any more. */
export function staleItem(
  event: Extract<InstanceEvent, { type: 'freshness_changed' }>,
  at: Instant,
  { assets }: Known,
): AlertItem | null {
  const node = assets.nodes.get(event.assetKey);
  if (event.fresh || node === undefined) return null;
  return {
    ...nothing(at),
    event: 'asset_stale',
    subjects: [event.assetKey],
    severity: event.severity,
    components: [node.component],
    assetKeys: [event.assetKey],
    what: event.assetKey,
    cause: firstLine(event.message),
    page: `/assets/${encodeURIComponent(event.assetKey)}`,
  };
}

/** A tick that launched nothing although its schedule is on; null: it did, or it was left out as its settings say. */
export function missedItem(
  event: Extract<InstanceEvent, { type: 'tick' }>,
  at: Instant,
  { assets, schedules }: Known,
): AlertItem | null {
  const schedule = schedules.get(event.schedule);
  if (schedule === undefined) return null;
  const isMissed = event.status === 'skipped' && wasMissed(event.reason);
  if (event.status !== 'failed' && !isMissed) return null;
  return {
    ...nothing(at),
    event: 'schedule_missed',
    subjects: [event.schedule],
    severity: isMissed ? 'WARN' : 'ERROR',
    components: [schedule.component],
    assetKeys: schedule.assets.filter((key) => assets.nodes.has(key)),
    what: event.schedule,
    cause: firstLine(`tick of ${instantText(event.at)}: ${event.reason}`),
    schedule: event.schedule,
    page: `/automation?q=${encodeURIComponent(event.schedule)}`,
  };
}

/** A backfill ended short of what was asked for, or paused itself. Null: neither. */
export function backfillItem(
  event: Extract<InstanceEvent, { type: 'backfill_changed' }>,
  at: Instant,
  assetKeys: readonly string[],
  { assets }: Known,
): AlertItem | null {
  const isPaused = event.status === 'PAUSED' && event.by === null;
  if (event.status !== 'COMPLETED_FAILED' && !isPaused) return null;
  const components = assetKeys.flatMap((key) => assets.nodes.get(key)?.component ?? []);
  return {
    ...nothing(at),
    event: 'backfill_failed',
    subjects: [event.backfillId],
    severity: 'ERROR',
    components: [...new Set(components)],
    assetKeys,
    what: named(assetKeys) ?? event.backfillId,
    cause: firstLine(`${isPaused ? 'it paused itself: ' : ''}${event.reason}`),
    backfillId: event.backfillId,
    page: `/backfills/${encodeURIComponent(event.backfillId)}`,
  };
}

export function nothing(
  at: Instant,
): Pick<AlertItem, 'at' | 'partition' | 'runId' | 'backfillId' | 'schedule' | 'commit' | 'assetKeys'> {
  return { at, partition: null, runId: null, backfillId: null, schedule: null, commit: null, assetKeys: [] };
}

/** `2026-01-20 12:00 UTC` */
export function instantText(at: Instant): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

import type { ScheduleDefinition } from '../../definitions/definitions.ts';
import { comingTicks } from '../../plan/coming-ticks.ts';
import type { PartitionSelection } from '../../plan/run-plan.ts';
import type { RevisionRow } from '../../store/store.ts';
import type { LaneActivity, TimelineColumn } from '../../store/timeline-store.ts';
import type {
  TimelineBar as BarView,
  TimelineColumn as ColumnView,
  TimelineLane as LaneView,
  TimelineMark,
} from '../contract/timeline.ts';
import { causeView } from './run-view.ts';
import type { Lane } from './timeline-lanes.ts';
import { timestamp, timestampOrNull } from './view-context.ts';

/** Ticks of one lane; behind them a line says that it goes on. */
const MOST_TICKS = 40;
/** Revisions that were not asked for by a change of commit: the end of a discovery of the one before. */
const SAME_COMMIT_IS_NEWS: ReadonlySet<string> = new Set(['rollback', 'pin']);

/** Schedules by each asset that they launch. */
export function schedulesByAsset(
  schedules: readonly ScheduleDefinition[],
): ReadonlyMap<string, readonly ScheduleDefinition[]> {
  const found = new Map<string, ScheduleDefinition[]>();
  for (const schedule of schedules) {
    for (const key of schedule.assets) {
      const known = found.get(key);
      if (known === undefined) found.set(key, [schedule]);
      else known.push(schedule);
    }
  }
  return found;
}

/**
 * @param schedules those that run, by asset
 * @param window the part of the timeline that lies ahead: ticks from `now` on, before `to`
 */
export function laneView(
  lane: Lane,
  activity: LaneActivity,
  schedules: ReadonlyMap<string, readonly ScheduleDefinition[]>,
  window: { readonly now: number; readonly to: number },
): LaneView {
  const own = new Set(lane.assetKeys.flatMap((key) => schedules.get(key) ?? []));
  const { ticks, until } = comingTicks([...own], window.now + 1, window.to, MOST_TICKS);
  return {
    kind: lane.kind,
    name: lane.name,
    group: lane.group,
    assets: lane.assetKeys.length,
    open: lane.open,
    ...activityView(activity),
    ticks: ticks.map(({ at, schedule, others }) => ({ at: timestamp(at), schedule, others })),
    ticks_until: timestampOrNull(until),
  };
}

/** What ran of assets that the repository has no more; null: nothing. */
export function removedView(activity: LaneActivity | undefined): LaneView | null {
  if (activity === undefined || activity.runs === 0) return null;
  return {
    kind: 'removed',
    name: 'removed',
    group: null,
    assets: 0,
    open: false,
    ...activityView(activity),
    ticks: [],
    ticks_until: null,
  };
}

function activityView({
  runs,
  failed,
  bars,
  columns,
}: LaneActivity): Pick<LaneView, 'runs' | 'failed' | 'bars' | 'columns'> {
  return {
    runs,
    failed,
    bars:
      bars?.map(
        (bar): BarView => ({
          run_id: bar.runId,
          status: bar.status,
          created_at: timestamp(bar.createdAt),
          started_at: timestampOrNull(bar.startedAt),
          ended_at: timestampOrNull(bar.endedAt),
          assets: bar.assets,
          cause: causeView(bar.cause).text,
          partition: partitionText(bar.partitions),
        }),
      ) ?? null,
    columns: columns?.map(columnView) ?? null,
  };
}

function partitionText(selection: PartitionSelection): string | null {
  switch (selection.kind) {
    case 'none':
      return null;
    case 'key':
      return selection.key;
    case 'range':
      return `${selection.start} … ${selection.end}`;
    case 'keys':
      return `${selection.keys.length} partitions`;
  }
}

function columnView({ at, counts }: TimelineColumn): ColumnView {
  const sum = (...names: (keyof typeof counts)[]): number =>
    names.reduce((n, name) => n + (counts[name] ?? 0), 0);
  return {
    at,
    succeeded: sum('succeeded'),
    failed: sum('failed'),
    active: sum('queued', 'running'),
    other: sum('canceled', 'skipped'),
  };
}

/**
 * What was applied within the window, oldest first.
 * @param revisions of one component, newest first
 */
export function timelineMarks(revisions: readonly RevisionRow[], from: number, to: number): TimelineMark[] {
  return revisions
    .filter((row, index) => {
      if (row.appliedAt < from || row.appliedAt >= to) return false;
      return row.commit !== revisions[index + 1]?.commit || SAME_COMMIT_IS_NEWS.has(row.trigger.kind);
    })
    .map(
      (row): TimelineMark => ({
        revision_id: row.revisionId,
        component: row.component,
        kind: row.trigger.kind === 'rollback' || row.trigger.kind === 'pin' ? row.trigger.kind : 'sync',
        commit: row.commit,
        at: timestamp(row.appliedAt),
        subject: row.message.split('\n')[0] ?? '',
        author: row.author,
        summary: { ...row.summary },
        restores: 'revisionId' in row.trigger ? row.trigger.revisionId : null,
      }),
    )
    .reverse();
}

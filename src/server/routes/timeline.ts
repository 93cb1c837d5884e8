import type { z } from 'zod';
import type { ScheduleDefinition } from '../../definitions/definitions.ts';
import { OperationalError } from '../../lib/errors.ts';
import { firstTicks } from '../../plan/coming-ticks.ts';
import { scheduleStatus } from '../../plan/schedule-status.ts';
import type { App, AppDeps } from '../app-deps.ts';
import {
  Timeline,
  TimelineQuery,
  type TimelineRange,
  UpcomingTicks,
  UpcomingTicksQuery,
} from '../contract/timeline.ts';
import { problems } from '../openapi.ts';
import { timelineLanes } from '../views/timeline-lanes.ts';
import { laneView, removedView, schedulesByAsset, timelineMarks } from '../views/timeline-view.ts';
import { timestamp } from '../views/view-context.ts';

const HOUR = 3_600_000;
const RANGES: Readonly<Record<TimelineRange, number>> = {
  '1h': HOUR,
  '6h': 6 * HOUR,
  '24h': 24 * HOUR,
  '7d': 7 * 24 * HOUR,
};
const LONGEST = 92 * 24 * HOUR;
const COLUMNS = 120;
/** Runs that one answer tells one by one, over all lanes. */
const MOST_BARS = 1_500;
/** All revisions that are kept of a component. */
const KEPT_REVISIONS = 50;
const DEFAULT_TICKS = 10;

export function timelineRoutes(app: App, deps: AppDeps): void {
  const { store } = deps;

  app.get(
    '/timeline',
    {
      schema: {
        tags: ['runs'],
        summary: 'What ran, runs and will run, lane by lane, and what was applied from Git meanwhile',
        description:
          'As large as what can be drawn: lanes with few runs have them one by one, the others as columns of counts.',
        querystring: TimelineQuery,
        response: { 200: Timeline, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      const { group, open = '' } = request.query;
      const now = deps.clock.now();
      const { from, to } = windowOf(request.query, now);
      const { lanes, leftOut } = timelineLanes(deps.components.definitions(), {
        group,
        open: new Set(open.split(',')),
      });
      const withRest = group === undefined && leftOut === 0;
      const [activity, schedules, revisions] = await Promise.all([
        store.timeline.activity({
          from,
          to,
          columns: COLUMNS,
          mostBars: Math.max(12, Math.min(60, Math.floor(MOST_BARS / Math.max(1, lanes.length)))),
          lanes: lanes.map(({ kind, assetKeys }) => ({ assetKeys, by: kind === 'asset' ? 'steps' : 'runs' })),
          withRest,
        }),
        runningSchedules(now),
        Promise.all(
          deps.components
            .components()
            .map(({ name }) => store.components.revisions(name, { limit: KEPT_REVISIONS })),
        ),
      ]);
      const ownSchedules = schedulesByAsset(schedules);
      const removed = withRest ? removedView(activity[lanes.length]) : null;
      return {
        from: timestamp(from),
        to: timestamp(to),
        column_seconds: Math.ceil((to - from) / COLUMNS) / 1000,
        lanes: [
          ...lanes.map((lane, index) => laneView(lane, activity[index]!, ownSchedules, { now, to })),
          ...(removed === null ? [] : [removed]),
        ],
        lanes_left_out: leftOut,
        marks: revisions
          .flatMap((rows) => timelineMarks(rows, from, to))
          .sort((a, b) => (a.at < b.at ? -1 : 1)),
      };
    },
  );

  app.get(
    '/upcoming-ticks',
    {
      schema: {
        tags: ['schedules'],
        summary: 'The next ticks of all running schedules together, in their order',
        querystring: UpcomingTicksQuery,
        response: { 200: UpcomingTicks, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      const now = deps.clock.now();
      const ticks = firstTicks(await runningSchedules(now), now, request.query.limit ?? DEFAULT_TICKS);
      return {
        items: ticks.map(({ at, schedule: { name, pipeline, assets } }) => ({
          at: timestamp(at),
          schedule: name,
          pipeline,
          asset_keys: [...assets],
        })),
      };
    },
  );

  async function runningSchedules(now: number): Promise<ScheduleDefinition[]> {
    const states = new Map((await store.schedules.states()).map((state) => [state.schedule, state.override]));
    return [...deps.components.definitions().schedules.values()].filter(
      (schedule) => scheduleStatus(schedule, states.get(schedule.name), now) === 'RUNNING',
    );
  }
}

/**
 * A named range follows the clock, and holds a little more on both sides: so that who shows it can move on with the time
 * without asking again.
 */
function windowOf(query: z.infer<typeof TimelineQuery>, now: number): { from: number; to: number } {
  const { range = '24h', from, to } = query;
  if (from === undefined && to === undefined) {
    const length = RANGES[range];
    return { from: now - length * 1.125, to: now + length * 0.375 };
  }
  const [start, end] = [Date.parse(from ?? ''), Date.parse(to ?? '')];
  if (!(end > start) || end - start > LONGEST) {
    throw new OperationalError('REQUEST_INVALID', 'a window has `from` and `to`, of which `to` is later', {
      hint: 'of at most 92 days; or use range=24h',
    });
  }
  return { from: start, to: end };
}

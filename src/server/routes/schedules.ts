import { distance } from 'fastest-levenshtein';
import { z } from 'zod';
import type { Definitions, ScheduleDefinition } from '../../definitions/definitions.ts';
import { actorOf, actorText } from '../actor.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { Schedule, ScheduleList, ScheduleSwitch, TickList, TickQuery } from '../contract/schedule.ts';
import { decodeNumberCursor, pageOf } from '../cursor.ts';
import { expiryOf } from '../expiry.ts';
import { problems } from '../openapi.ts';
import { refusal } from '../refusal.ts';
import { scheduleView, tickView, upcomingTicks } from '../views/schedule-view.ts';
import { timestampOrNull, viewContext } from '../views/view-context.ts';

const DEFAULT_TICKS = 50;
const NameParams = z.object({ name: z.string() });

export function scheduleRoutes(app: App, deps: AppDeps): void {
  const { store } = deps;

  app.get(
    '/schedules',
    {
      schema: {
        tags: ['schedules'],
        summary: 'Schedules with their next ticks',
        response: { 200: ScheduleList, ...problems },
      },
      config: { etag: 'log' },
    },
    async () => {
      const schedules = [...deps.components.definitions().schedules.values()];
      return { items: await views(schedules), next_cursor: null };
    },
  );

  app.get(
    '/schedules/:name',
    {
      schema: {
        tags: ['schedules'],
        summary: 'One schedule',
        params: NameParams,
        response: { 200: Schedule, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => view(scheduleNamed(deps.components.definitions(), request.params.name)),
  );

  app.get(
    '/schedules/:name/ticks',
    {
      schema: {
        tags: ['schedules'],
        summary: 'Ticks that were, newest first; with `next` also those that its cron has next',
        params: NameParams,
        querystring: TickQuery,
        response: { 200: TickList, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      const schedule = scheduleNamed(deps.components.definitions(), request.params.name);
      const { limit = DEFAULT_TICKS, cursor, next = 0 } = request.query;
      const before = decodeNumberCursor(cursor);
      const rows = await store.schedules.ticks(schedule.name, {
        limit: limit + 1,
        ...(before === undefined ? {} : { before }),
      });
      return {
        ...pageOf(rows, limit, (row) => row.at, tickView),
        upcoming: upcomingTicks(schedule, deps.clock.now(), next),
      };
    },
  );

  for (const [action, status] of [
    ['start', 'RUNNING'],
    ['stop', 'STOPPED'],
  ] as const) {
    app.post(
      `/schedules/:name/${action}`,
      {
        schema: {
          tags: ['schedules'],
          summary: action === 'start' ? 'Starts a schedule: it fires from now on' : 'Stops a schedule',
          params: NameParams,
          body: ScheduleSwitch,
          response: { 200: Schedule, ...problems },
        },
      },
      async (request) => {
        const schedule = scheduleNamed(deps.components.definitions(), request.params.name);
        const by = actorText(actorOf(request));
        const now = await store.now();
        const { reason = '', expires_in: expiresIn } = request.body ?? {};
        const expiresAt = expiryOf(expiresIn, now);
        const why = { reason, ...(expiresAt === null ? {} : { expiresAt }) };
        const override = status === schedule.config.defaultStatus ? null : { status, by, at: now, ...why };
        // The cursor goes to now: what lies between a stop and a start never fires (fault T5).
        await store.schedules.setOverride(schedule.name, override, now);
        await store.appendInstanceEvents([{ type: 'schedule_changed', schedule: schedule.name, status, by }]);
        deps.onScheduleChanged?.();
        await store.operations.audit({
          actor: by,
          action: `schedule.${action}`,
          target: schedule.name,
          details: override === null ? {} : { reason, expires_at: timestampOrNull(expiresAt) },
        });
        return view(schedule);
      },
    );
  }

  async function views(schedules: readonly ScheduleDefinition[]): Promise<Schedule[]> {
    const context = viewContext(deps);
    const [states, ticks] = await Promise.all([store.schedules.states(), store.schedules.lastTicks()]);
    const stateOf = new Map(states.map((state) => [state.schedule, state]));
    const tickOf = new Map(ticks.map((tick) => [tick.schedule, tick]));
    return schedules.map((schedule) =>
      scheduleView(context, schedule, {
        state: stateOf.get(schedule.name),
        lastTick: tickOf.get(schedule.name),
      }),
    );
  }

  async function view(schedule: ScheduleDefinition): Promise<Schedule> {
    const [only] = await views([schedule]);
    return only!;
  }
}

/** By its name, or by its pipeline's. @throws `SCHEDULE_NOT_FOUND` with the nearest name */
function scheduleNamed(definitions: Definitions, name: string): ScheduleDefinition {
  const schedule = definitions.schedules.get(name) ?? definitions.schedules.get(`${name}_schedule`);
  if (schedule !== undefined) return schedule;
  const near = [...definitions.schedules.keys()]
    .map((key) => ({ key, score: key.includes(name) ? 1 : distance(key, name) }))
    .filter(({ score }) => score <= Math.max(2, name.length / 3))
    .sort((a, b) => a.score - b.score)[0];
  const hint = near === undefined ? undefined : `did you mean ${near.key}?`;
  throw refusal('SCHEDULE_NOT_FOUND', `there is no schedule "${name}"`, hint);
}

import type { Schedule, TickList } from '../../server/contract/schedule.ts';
import { segment } from '../client.ts';
import { withClient } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { instant, inZone, relative } from '../format.ts';
import { printJson, showItems } from '../output.ts';
import { table } from '../render.ts';
import { scheduleTable } from '../tables.ts';
import { bodyOf } from './control.ts';

export function schedules(context: CliContext): Promise<number> {
  return withClient(context, async (client) =>
    showItems(context, await client.all<Schedule>('/schedules'), (items) => scheduleTable(context, items)),
  );
}

export function switchSchedule(
  context: CliContext,
  name: string,
  action: 'start' | 'stop',
  options: { readonly reason?: string; readonly for?: string },
): Promise<number> {
  return withClient(context, async (client) => {
    const schedule = await client.post<Schedule>(`/schedules/${segment(name)}/${action}`, bodyOf(options));
    if (context.json) printJson(context, schedule);
    else {
      const [next] = schedule.next_ticks;
      context.out(
        next === undefined
          ? `${schedule.name} is ${schedule.status}`
          : `${schedule.name} is ${schedule.status}, next tick ${inZone(next, schedule.timezone)} (${relative(next, Date.now())})`,
      );
    }
    return 0;
  });
}

export function ticks(context: CliContext, name: string, next: number | undefined): Promise<number> {
  return withClient(context, async (client) => {
    const path = `/schedules/${segment(name)}`;
    const [list, schedule] = await Promise.all([
      client.get<TickList>(`${path}/ticks`, { next }),
      client.get<Schedule>(path),
    ]);
    if (context.json) {
      printJson(context, list);
      return 0;
    }
    if (next !== undefined) {
      context.out(
        table(
          [
            { title: 'NEXT TICK', value: (at) => inZone(at, schedule.timezone) },
            { title: 'UTC', value: instant },
            { title: '', value: (at) => relative(at, Date.now()) },
          ],
          list.upcoming,
          context,
        ),
      );
      if (schedule.status === 'STOPPED') context.note(`${schedule.name} is STOPPED: none of these fires`);
      if (list.upcoming.length < next) context.note('after these the cron has no tick');
      return 0;
    }
    return showItems(context, list.items, (items) =>
      table(
        [
          { title: 'TICK', value: (tick) => inZone(tick.at, schedule.timezone) },
          {
            title: 'RESULT',
            value: (tick) => tick.status,
            paint: (tick) => (tick.status === 'failed' ? 'red' : null),
          },
          { title: 'RUNS', value: (tick) => tick.run_ids.join(', ') },
          { title: 'WHY', value: (tick) => tick.reason, shrink: true },
        ],
        items,
        context,
      ),
    );
  });
}

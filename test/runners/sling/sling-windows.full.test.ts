import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPostgres, type TestPostgres } from '../../helpers/postgres.ts';
import { dayPartition } from '../../helpers/run-step-command.ts';
import { SlingWorld } from '../../helpers/sling-world.ts';

let postgres: TestPostgres;
let skip: string | null = null;
let world: SlingWorld;

beforeAll(async () => {
  const started = await startPostgres();
  if ('skip' in started) {
    skip = started.skip;
    return;
  }
  postgres = started;
  world = await SlingWorld.create(postgres, {});
  const at = "timestamptz '2026-01-02 00:00+00' + h * interval '1 hour'";
  await world.postgres(
    "alter database postgres set timezone = 'Asia/Tokyo'",
    `create table hours as select h as id, (${at}) at time zone 'UTC' as ts, ${at} as tz, ((${at}) at time zone 'UTC')::date as day,
       extract(epoch from ${at})::bigint as seconds, (extract(epoch from ${at}) * 1000)::bigint as millis,
       to_char((${at}) at time zone 'UTC', 'YYYYMMDD')::int as ymd, to_char(${at}, 'DD Mon') as label
     from generate_series(0, 71) h`,
  );
});
afterAll(() => (skip === null ? postgres.stop() : undefined));

/** Day by day: each row once, in the day that it belongs to. */
describe('the days of a table, by a cursor of each kind', () => {
  it.for<readonly [string, string | null]>([
    ['ts', null],
    ['tz', null],
    ['day', null],
    ['seconds', 'epoch_seconds'],
    ['millis', 'epoch_milliseconds'],
    ['ymd', 'yyyymmdd'],
  ])('%s', { timeout: 60_000 }, async ([key, cursor], ctx) => {
    if (skip !== null) return ctx.skip(skip);
    const meta = cursor === null ? '' : `, meta: { dagster: { cursor: ${cursor} } }`;
    const replication = `source: PG\ntarget: LITE\nstreams: { public.hours: { object: main.by_${key}, primary_key: [id], update_key: ${key}${meta} } }\n`;
    for (const [index, day] of ['2026-01-02', '2026-01-03', '2026-01-03', '2026-01-04'].entries()) {
      const outcome = await world.run(replication, ['public.hours'], dayPartition(day));
      expect(outcome.end, outcome.stderr + outcome.stdout.toString()).toMatchObject({ status: 'ok' });
      expect(outcome.materialized['sling_shop/public.hours']?.rows).toBe(24);
      const counts = [24, 48, 48, 72];
      expect(world.sqlite(`select count(*), count(distinct id) from by_${key}`)).toEqual([
        [counts[index], counts[index]],
      ]);
    }
  });

  it.for<readonly [string, string]>([
    ['seconds', "public.hours: seconds holds whole numbers, from which a partition's window cannot be told"],
    ['label', 'public.hours: label holds text, from which'],
    ['nothing', 'PG has no column nothing of public.hours'],
  ])('%s without a word about it is a failure, not a guess', async ([key, message], ctx) => {
    if (skip !== null) return ctx.skip(skip);
    const replication = `source: PG\ntarget: LITE\nstreams: { public.hours: { object: main.none, primary_key: [id], update_key: ${key} } }\n`;
    const outcome = await world.run(replication, ['public.hours'], dayPartition('2026-01-03'));
    expect(outcome.end).toMatchObject({
      status: 'failed',
      failure_class: 'config',
      error: { message: expect.stringContaining(message) },
    });
  });

  it('a date is not cut into hours', async (ctx) => {
    if (skip !== null) return ctx.skip(skip);
    const start = Date.parse('2026-01-03T05:00:00Z');
    const hour = { ...dayPartition('2026-01-03'), window: { start, end: start + 3_600_000 } };
    const replication =
      'source: PG\ntarget: LITE\nstreams: { public.hours: { object: main.none, primary_key: [id], update_key: day } }\n';
    const outcome = await world.run(replication, ['public.hours'], hour);
    expect(outcome.end).toMatchObject({
      failure_class: 'config',
      error: {
        message: expect.stringContaining(
          "day holds dates, and the partition's window is not made of whole days",
        ),
      },
    });
  });
});

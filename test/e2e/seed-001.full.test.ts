import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Explanation } from '../../src/automation/explanation.ts';
import { duckdbRows } from '../helpers/duckdb.ts';
import { type FakeClock, fakeClock } from '../helpers/fake-clock.ts';
import { type OwnService, ownService } from '../helpers/own-service.ts';
import { createDemoRepository, type TestRepository } from '../helpers/repository.ts';
import { until, writes, written } from '../helpers/writes.ts';

const TILLS = /^(?:dagster\.yaml|pipelines\/(?:dbt|python\/(?:daily|weekly|post_)))/;
const WEEK = '2026-01-05';
const DAYS = ['05', '06', '07', '08', '09', '10', '11'].map((day) => `2026-01-${day}`);
const DAILY = ['daily_raw_data', 'stg_daily_raw_data', 'mart_daily_data', 'post_processing_daily'];
const WEEKLY = ['weekly_raw_data', 'stg_weekly_raw_data', 'mart_weekly_data', 'post_processing_weekly'];
/** This till's day comes with a sale of -1 EUR. */
const BAD = 'B|2026-01-05';
const BAD_FILE = 'pipelines/python/daily_raw_data/tills/2026-01-05_B.csv';
const GOOD = ['A|2026-01-05', 'A|2026-01-06', 'B|2026-01-06'];
const REST = DAYS.slice(2).map((day) => `A|${day}`);

/** `<asset> <partition>` of all of them. */
function each(assets: readonly string[], keys: readonly string[]): string[] {
  return assets.flatMap((asset) => keys.map((key) => `${asset} ${key}`));
}

/** The part of a condition that people know by this label. */
function labelled(tree: Explanation, label: string): Explanation | undefined {
  if (tree.label === label) return tree;
  for (const child of tree.children) {
    const found = labelled(child, label);
    if (found !== undefined) return found;
  }
  return undefined;
}

describe('days become weeks, by two tills, three tools and one condition', () => {
  let repository: TestRepository;
  let home: string;
  let clock: FakeClock;
  let service: OwnService;
  let rightFile: string;

  beforeAll(async () => {
    repository = createDemoRepository((path) => TILLS.test(path));
    rightFile = readFileSync(join(repository.clone, BAD_FILE), 'utf8');
    const commit = repository.push({ [BAD_FILE]: rightFile.replace(/\d+\.\d+$/m, '-1') });
    home = mkdtempSync(join(tmpdir(), 'elt-home-'));
    clock = fakeClock(Date.parse('2026-01-05T12:00:00Z'));
    service = await ownService({ home, repo: repository.remote, clock });
    await serves(commit);
  });
  afterAll(async () => {
    await service.close({ endSteps: true });
    repository.remove();
    rmSync(home, { recursive: true, force: true });
  });

  /** The commit is live, and every asset of it known. */
  function serves(commit: string): Promise<void> {
    return until(service.store, async () => {
      const [component] = service.components.components();
      const known = component?.snapshot?.pipelines.every(({ discovery }) => discovery.status === 'complete');
      return component?.lastApplied?.commit === commit && known === true;
    });
  }
  const names = async () => (await writes(service.store)).map(({ name }) => name);
  async function inOrder(wanted: readonly string[]): Promise<string[]> {
    return (await names()).filter((name) => wanted.includes(name));
  }
  async function causeOf(name: string): Promise<string> {
    const write = (await writes(service.store)).find((one) => one.name === name);
    return (await service.store.runs.plan(write!.runId))!.cause.kind;
  }
  async function why(asset: string, partition: string): Promise<Explanation> {
    return (await service.automation.explain(asset, partition))!.tree;
  }

  /** Time stands still while something runs, and goes on by a second whenever nothing does. */
  async function goOnUntil(goal: readonly string[]): Promise<void> {
    const { store } = service;
    for (;;) {
      await until(store, async () => (await store.runs.unfinished()).length === 0);
      const there = await names();
      if (goal.every((name) => there.includes(name))) return;
      const [newest] = await store.automation.evaluations({ limit: 1 });
      clock.advance(1_000);
      await until(store, async () => {
        const [now] = await store.automation.evaluations({ limit: 1 });
        return now?.evaluationId !== newest?.evaluationId;
      });
    }
  }

  it('what the schedule loads goes through dbt to its report by itself, but for the day whose check fails', async () => {
    await service.client.api('POST', '/api/v1/schedules/python_daily_raw_data/start', {});
    clock.set(Date.parse('2026-01-07T01:15:00Z'));
    await written(service.store, each(['daily_raw_data'], [...GOOD, BAD]));
    await goOnUntil(each(['post_processing_daily'], GOOD));

    expect((await names()).sort()).toEqual([...each(DAILY, GOOD), `daily_raw_data ${BAD}`].sort());
    for (const key of GOOD) expect(await inOrder(each(DAILY, [key]))).toEqual(each(DAILY, [key]));
    expect(await causeOf('daily_raw_data A|2026-01-05')).toBe('schedule');
    for (const asset of DAILY.slice(1)) expect(await causeOf(`${asset} A|2026-01-05`)).toBe('automation');

    const tree = await why('stg_daily_raw_data', BAD);
    expect(tree.matched).toBe(0);
    expect(labelled(tree, 'eager')?.matched).toBe(1);
    expect(labelled(tree, 'all_deps_blocking_checks_passed')?.matched).toBe(0);
  });

  it('the week of a till is closed after its seven days, and not before', async () => {
    await service.client.api('POST', '/api/v1/schedules/python_daily_raw_data/stop', {});
    clock.set(Date.parse('2026-01-12T00:00:00Z'));
    await service.client.launch('weekly_raw_data', { partition: `A|${WEEK}` });
    await service.client.launch('daily_raw_data', { range: { start: REST[0], end: REST.at(-1) } });
    await written(service.store, [...each(['daily_raw_data'], REST), `weekly_raw_data A|${WEEK}`]);
    expect(labelled(await why('mart_weekly_data', `A|${WEEK}`), 'any_deps_missing')?.matched).toBe(1);
    await goOnUntil([`post_processing_weekly A|${WEEK}`]);

    const all = await names();
    const last = (asset: string) => Math.max(...DAYS.map((day) => all.indexOf(`${asset} A|${day}`)));
    expect(last('stg_daily_raw_data')).toBeLessThan(all.indexOf(`mart_weekly_data A|${WEEK}`));
    expect(last('mart_daily_data')).toBeLessThan(all.indexOf(`post_processing_weekly A|${WEEK}`));
    expect(await inOrder(each(WEEKLY, [`A|${WEEK}`]))).toEqual(each(WEEKLY, [`A|${WEEK}`]));
    expect(all.filter((name) => name.endsWith(BAD))).toEqual([`daily_raw_data ${BAD}`]);

    const asked = await service.store.automation.evaluations({
      assetKey: 'mart_weekly_data',
      requestedOnly: true,
      limit: 10,
    });
    expect(asked.map(({ spans }) => spans)).toEqual([[{ start: `A|${WEEK}`, end: `A|${WEEK}`, count: 1 }]]);
  });

  it('repaired and loaded again, the day goes on', async () => {
    const commit = repository.push({ [BAD_FILE]: rightFile });
    await service.client.api('POST', '/api/v1/components/elt_pipelines/refresh');
    await serves(commit);
    await service.client.launch('daily_raw_data', { partition: BAD });
    await goOnUntil([`post_processing_daily ${BAD}`]);
    expect(await inOrder(each(DAILY, [BAD]))).toEqual([`daily_raw_data ${BAD}`, ...each(DAILY, [BAD])]);
  });

  it('nothing ran twice, and the rows are those of the files', async () => {
    const keys = [...GOOD, ...REST, BAD];
    const wanted = [...each(DAILY, keys), ...each(WEEKLY, [`A|${WEEK}`]), `daily_raw_data ${BAD}`];
    expect((await names()).sort()).toEqual(wanted.sort());

    const sold = keys.sort().map((key) => {
      const [till, day] = key.split('|');
      const file = join(repository.clone, `pipelines/python/daily_raw_data/tills/${day}_${till}.csv`);
      const [, ...lines] = readFileSync(file, 'utf8').trim().split('\n');
      const cents = lines.map((line) => Math.round(Number(line.split(',')[4]) * 100));
      return { till, day, sales: lines.length, cents: cents.reduce((sum, one) => sum + one, 0) };
    });
    const file = join(home, 'data', 'shared', 'shop.duckdb');
    const days =
      'select category, start_time::date::text, sales, (amount * 100)::integer from marts.mart_daily_data order by 1, 2';
    expect(await duckdbRows(file, days)).toEqual(
      sold.map(({ till, day, sales, cents }) => [till, day, sales, cents]),
    );
    const ofA = sold.filter(({ till }) => till === 'A');
    const weeks =
      'select category, days_with_sales, sales, (amount * 100)::integer from marts.mart_weekly_data order by 1';
    expect(await duckdbRows(file, weeks)).toEqual([
      [
        'A',
        7,
        ofA.reduce((sum, { sales }) => sum + sales, 0),
        ofA.reduce((sum, { cents }) => sum + cents, 0),
      ],
    ]);
  });
});

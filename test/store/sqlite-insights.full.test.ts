import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { fakeClock } from '../helpers/fake-clock.ts';
import { longestTurn } from '../helpers/longest-turn.ts';
import { NOON } from './conformance/harness.ts';
import { ASSETS, fillWithRuns, RUNS } from './filled-store.ts';
import { SILENT, temporaryFolder } from './sqlite-store.ts';

const DAY_MS = 86_400_000;
const DAYS = 90;
const TODAY = Math.floor(NOON / DAY_MS);
const LONGEST_TURN = 75;

let store: Store;
beforeAll(async () => {
  const options = { file: join(temporaryFolder(), 'elt.db'), clock: fakeClock(NOON), logger: SILENT };
  await (await openStore(options)).close();
  fillWithRuns(options.file, DAYS * DAY_MS, true);
  store = await openStore(options);
}, 120_000);
afterAll(async () => store.close());

async function measured<T>(name: string, work: () => Promise<T>): Promise<T> {
  const { result, taken, longest } = await longestTurn(work);
  console.log(`${name}: ${Math.round(taken)} ms, at most ${Math.round(longest)} ms of work at a time`);
  expect(longest).toBeLessThan(LONGEST_TURN);
  return result;
}

it('takes 100,000 runs of 1,000 assets in and sums them in pieces that hold nobody up', async () => {
  await measured('taking the log in', async () => store.insights.catchUp());
  const failed = Math.floor(RUNS / 37);
  for (const days of [30, DAYS + 1, 366]) {
    const range = { fromDay: TODAY + 1 - days, toDay: TODAY + 1 };
    const sums = await measured(`sums of ${days} days`, async () => store.insights.sums(range));
    const byDay = await measured(`${days} days one by one`, async () =>
      store.insights.byDay(range, [...sums.keys()]),
    );
    await measured(`durations of ${days} days`, async () => store.insights.durations(range));
    const rowsOf = (all: Iterable<{ readonly rows: number }>): number =>
      [...all].reduce((sum, { rows }) => sum + rows, 0);
    expect(rowsOf(byDay.values())).toBe(rowsOf(sums.values()));
    expect(sums.size).toBe(ASSETS);
    if (days < DAYS) continue;
    const steps = [...sums.values()].reduce((sum, one) => sum + one.succeeded + one.failed, 0);
    const failures = [...sums.values()].reduce((sum, one) => sum + one.failed, 0);
    // Every tenth run has twenty assets.
    expect(steps).toBe(RUNS * 0.9 + RUNS * 0.1 * 20);
    expect(failures).toBeGreaterThan(failed);
  }
}, 120_000);

it('finds who caused what among 100,000 runs', async () => {
  const all = { before: { change: null, launch: null, revision: null }, limit: 101, peopleOnly: false };
  const newest = await measured('the newest', async () => store.operations.auditTrail(all));
  expect(newest).toHaveLength(101);
  for (const actor of ['cli:ada', 'schedule:x_schedule', 'schedule:none', 'automation', 'poll']) {
    await measured(`those of ${actor}`, async () => store.operations.auditTrail({ ...all, actor }));
  }
});

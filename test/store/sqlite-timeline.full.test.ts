import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openStore } from '../../src/store/open-store.ts';
import { fakeClock } from '../helpers/fake-clock.ts';
import { NOON } from './conformance/harness.ts';
import { ASSETS, fillWithRuns, RUNS } from './filled-store.ts';
import { SILENT, temporaryFolder } from './sqlite-store.ts';

const WEEK = 7 * 24 * 3_600_000;
const GROUPS = 50;

it('answers for 100,000 runs of 1,000 assets in a size that can be drawn', async () => {
  const file = join(temporaryFolder(), 'elt.db');
  const options = { file, clock: fakeClock(NOON), logger: SILENT };
  await (await openStore(options)).close();
  fillWithRuns(file, WEEK, false);
  const store = await openStore(options);
  const lanes = Array.from({ length: GROUPS }, (_, group) => ({
    by: 'runs' as const,
    assetKeys: Array.from({ length: ASSETS / GROUPS }, (__, index) => `asset_${1 + group + index * GROUPS}`),
  }));
  try {
    for (const [name, hours] of [
      ['a week', 168],
      ['a day', 24],
      ['an hour', 1],
    ] as const) {
      const query = {
        from: NOON - hours * 3_600_000,
        to: NOON + 1,
        columns: 120,
        mostBars: 30,
        lanes,
        withRest: true,
      };
      const started = performance.now();
      const answer = await store.timeline.activity(query);
      const taken = performance.now() - started;
      const size = JSON.stringify(answer).length;
      console.log(`timeline of ${name}: ${Math.round(taken)} ms, ${Math.round(size / 1000)} kB`);
      expect(size).toBeLessThan(600_000);
      // 0.2 s on a quiet machine, in five pieces for the week.
      expect(taken).toBeLessThan(4_000);
      const runs = answer.reduce((sum, lane) => sum + lane.runs, 0);
      expect(runs).toBeGreaterThanOrEqual((RUNS * hours) / 168 - 1);
      expect(answer.at(-1)!.runs).toBe(0);
    }
  } finally {
    await store.close();
  }
});

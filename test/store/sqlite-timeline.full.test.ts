import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { expect, it } from 'vitest';
import { uuidv7 } from '../../src/lib/ids.ts';
import { openStore } from '../../src/store/open-store.ts';
import { fakeClock } from '../helpers/fake-clock.ts';
import { NOON } from './conformance/harness.ts';
import { SILENT, temporaryFolder } from './sqlite-store.ts';

const ASSETS = 1_000;
const RUNS = 100_000;
const WEEK = 7 * 24 * 3_600_000;
const GROUPS = 50;

/** A week of runs, one in ten of them of twenty assets, as rows. */
function fill(file: string): void {
  const db = new SqliteDatabase(file);
  db.pragma('foreign_keys = OFF');
  db.pragma('synchronous = OFF');
  const asset = db.prepare('insert into asset (asset_id, key) values (?, ?)');
  const run = db.prepare(
    `insert into run (run_no, run_id, launch_id, priority, job_name, summary, status, created_at, started_at, ended_at, step_counts)
     values (?, ?, 'l', 0, 'job', ?, ?, ?, ?, ?, '{}')`,
  );
  const runAsset = db.prepare('insert into run_asset (asset_id, run_no) values (?, ?)');
  db.transaction(() => {
    db.prepare("insert into launch (launch_id, created_at) values ('l', 0)").run();
    for (let id = 1; id <= ASSETS; id += 1) asset.run(id, `asset_${id}`);
    for (let number = 1; number <= RUNS; number += 1) {
      const at = Math.round(NOON - WEEK + (WEEK * number) / RUNS);
      const of = Array.from(
        { length: number % 10 === 0 ? 20 : 1 },
        (_, index) => 1 + ((number * 7 + index * 13) % ASSETS),
      );
      const summary = {
        cause: { kind: 'schedule', schedule: 'x_schedule', tick: at },
        tags: {},
        assetKeys: of.map((id) => `asset_${id}`),
        partitions: { kind: 'none' },
        commits: [{ component: 'main', commit: 'c'.repeat(40) }],
      };
      const status = number % 37 === 0 ? 'FAILURE' : 'SUCCESS';
      run.run(number, uuidv7(at), JSON.stringify(summary), status, at, at + 500, at + 20_500);
      for (const id of new Set(of)) runAsset.run(id, number);
    }
  })();
  db.close();
}

it('answers for 100,000 runs of 1,000 assets in a size that can be drawn', async () => {
  const file = join(temporaryFolder(), 'elt.db');
  const options = { file, clock: fakeClock(NOON), logger: SILENT };
  await (await openStore(options)).close();
  fill(file);
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

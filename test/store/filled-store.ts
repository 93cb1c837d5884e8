import SqliteDatabase from 'better-sqlite3';
import { uuidv7 } from '../../src/lib/ids.ts';
import { NOON } from './conformance/harness.ts';

export const ASSETS = 1_000;
export const RUNS = 100_000;

/**
 * Runs that ended at noon at the latest, evenly over a time, one in ten of them of twenty assets, written as rows.
 * @param file a migrated database that nobody has open
 * @param periodMs the first run began so long before noon
 * @param withEvents with what each of them logged too, seven events and one for each asset
 */
export function fillWithRuns(file: string, periodMs: number, withEvents: boolean): void {
  const db = new SqliteDatabase(file);
  db.pragma('foreign_keys = OFF');
  db.pragma('synchronous = OFF');
  const asset = db.prepare('insert into asset (asset_id, key, pipeline_id) values (?, ?, ?)');
  const run = db.prepare(
    `insert into run (run_no, run_id, launch_id, schedule_id, priority, job_name, summary, status, created_at, started_at, ended_at, step_counts)
     values (?, ?, 'l', ?, 0, 'job', ?, ?, ?, ?, ?, '{}')`,
  );
  const runAsset = db.prepare('insert into run_asset (asset_id, run_no) values (?, ?)');
  const stepAsset = db.prepare(
    "insert into step_asset (run_no, step_key, asset_id, code_version, partition_keys, is_range) values (?, 'step', ?, 'v', '[]', 0)",
  );
  const event = db.prepare(
    'insert into event (run_no, step_key, attempt, n, type, at, payload) values (?, ?, ?, ?, ?, ?, ?)',
  );
  db.transaction(() => {
    db.prepare("insert into launch (launch_id, created_at) values ('l', 0)").run();
    db.prepare("insert into schedule (schedule_id, name) values (1, 'x_schedule')").run();
    db.prepare("insert into pipeline (pipeline_id, component, name) values (1, 'main', 'all')").run();
    for (let id = 1; id <= ASSETS; id += 1) asset.run(id, `asset_${id}`, 1);
    for (let number = 1; number <= RUNS; number += 1) {
      const at = Math.round(NOON - periodMs + (periodMs * number) / RUNS);
      const ids = assetsOf(number);
      const isScheduled = number % 3 > 0;
      const summary = {
        cause: isScheduled
          ? { kind: 'schedule', schedule: 'x_schedule', tick: at }
          : { kind: 'backfill', backfillId: 'b' },
        tags: {},
        assetKeys: ids.map((id) => `asset_${id}`),
        partitions: { kind: 'none' },
        commits: [{ component: 'main', commit: 'c'.repeat(40) }],
      };
      const failed = number % 37 === 0;
      const status = failed ? 'FAILURE' : 'SUCCESS';
      const schedule = isScheduled ? 1 : null;
      run.run(number, uuidv7(at), schedule, JSON.stringify(summary), status, at, at + 500, at + 20_500);
      for (const id of ids) runAsset.run(id, number);
      if (!withEvents) continue;
      const log = (type: string, payload: object, n: number | null = null): unknown =>
        event.run(
          number,
          type.startsWith('run_') ? null : 'step',
          type.startsWith('run_') ? null : 1,
          n,
          type,
          at + 500,
          JSON.stringify({ type, ...payload }),
        );
      log('run_enqueued', {});
      log('run_started', {});
      log('step_dispatched', { step_key: 'step', attempt: 1, pools: [] });
      log('step_started', { step_key: 'step', attempt: 1, pid: 1, env_key: 'e'.repeat(64) });
      for (const [index, id] of ids.entries()) {
        stepAsset.run(number, id);
        const metadata = { rows: number, bytes: 100 * number, seconds: 2, destination: 'duckdb' };
        if (!failed) log('materialization', { asset_key: `asset_${id}`, metadata }, index + 1);
      }
      const seconds = 1 + (number % 50);
      if (failed) log('step_failed', { seconds, error: { code: 'STEP_FAILED' } });
      log(failed ? 'step_gave_up' : 'step_succeeded', failed ? {} : { seconds, metadata: {} });
      log(failed ? 'run_failed' : 'run_succeeded', {});
    }
  })();
  db.close();
}

function assetsOf(run: number): readonly number[] {
  const of = Array.from(
    { length: run % 10 === 0 ? 20 : 1 },
    (_, index) => 1 + ((run * 7 + index * 13) % ASSETS),
  );
  return [...new Set(of)];
}

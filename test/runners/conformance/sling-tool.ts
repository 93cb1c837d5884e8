import { existsSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import type { SlingConfig } from '../../../src/discovery/pipeline-config.ts';
import { asset, range, type Scene, type Stage, type ToolUnderTest } from './scene.ts';

export const SERVED = range(101, 1100);
const SLING: SlingConfig = { replication: 'replication.yaml', streams: [], assetPer: 'replication' };
const file = ({ home }: Stage): string => join(home, 'data/elt_pipelines/sling_rows/rows.db');

/**
 * Two streams of one asset that append: a file, and a file over HTTP whose server stands still. A stream that is loaded
 * twice has its rows twice.
 */
export const slingTool: ToolUnderTest = {
  name: 'sling',
  tooLittleMemory: 100_000_000,
  phases: ['start', 'running'],
  failure: { message: /500/, failureClass: 'user' },
  whole: [...range(1, 100), ...SERVED],
  log: [/streaming data/, /inserted 100 rows/, /streaming data/, /inserted 1000 rows/],
  stands: (phase) => (phase === 'running' ? null : ({ event }) => event.type === 'step_started'),
  step({ server }: Stage, { hold, fails, replaces }: Scene) {
    if (hold === 'running') server.stall();
    server.refuse(fails === undefined ? 0 : fails === 'first' ? 1 : 1_000);
    return {
      stepKey: 'sling_rows',
      tool: 'sling',
      config: { sling: SLING },
      pipeline: 'sling_rows',
      spec: { assets: [asset('sling_rows')] },
      files: {
        'replication.yaml': `source: LOCAL
target: ROWS_SQLITE
defaults: { mode: ${replaces === true ? 'full-refresh' : 'snapshot'} }
streams:
  "file://first.csv": { object: main.first_rows }
  "${server.url}": { object: main.served_rows }
`,
        'first.csv': `id,name\n${range(1, 100)
          .map((id) => `${id},name ${id}\n`)
          .join('')}`,
      },
    };
  },
  async rows(stage) {
    if (!existsSync(file(stage))) return [];
    const db = new SqliteDatabase(file(stage));
    try {
      const tables = db
        .prepare("select name from sqlite_master where name in ('first_rows', 'served_rows')")
        .pluck()
        .all() as string[];
      return tables.flatMap(
        (name) => db.prepare(`select id from ${name} order by id`).pluck().all() as number[],
      );
    } finally {
      db.close();
    }
  },
};

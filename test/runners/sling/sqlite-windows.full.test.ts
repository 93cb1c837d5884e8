import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { beforeAll, expect, it } from 'vitest';
import { slingRunner } from '../../../src/runners/sling.ts';
import { dayPartition, StepFolder, stepSpec } from '../../helpers/run-step-command.ts';
import { testTools } from '../../helpers/tool-environments.ts';

beforeAll(async () => void (await testTools()));

const REPLICATION =
  'source: IN\ntarget: OUT\nstreams: { main.hours: { object: main.hours, mode: incremental, primary_key: [id], update_key: at } }\n';
const SLING = { replication: 'replication.yaml', streams: [], assetPer: 'stream' as const };
const ASSET = {
  key: 'hours',
  resource: 'main.hours',
  partitions: { kind: 'none' },
  blockingChecks: [],
  codeVersion: '1',
} as const;

/** SQLite has no instants: each folder writes its texts in its own form, the same in all rows. */
it.each<[string, string, (text: string) => string]>([
  ['seconds', 'datetime', (text) => text.slice(0, 19).replace('T', ' ')],
  ['minutes', 'datetime', (text) => text.slice(0, 16).replace('T', ' ')],
  ['minutes of ISO 8601, in text', 'text', (text) => text.slice(0, 16)],
  ['milliseconds of ISO 8601, in text', 'text', (text) => text],
])(
  'the day of a table whose cursor has %s: from midnight on, all of it, nothing else',
  async (_name, type, form) => {
    const folder = await StepFolder.create({ 'replication.yaml': REPLICATION });
    const source = new SqliteDatabase(join(folder.work, 'in.db'));
    source.exec(`create table hours (id integer primary key, at ${type})`);
    const insert = source.prepare('insert into hours values (?, ?)');
    for (let hour = 0; hour < 72; hour++) {
      insert.run(hour, form(new Date(Date.parse('2026-01-02T00:00:00Z') + hour * 3_600_000).toISOString()));
    }
    source.close();
    const spec = stepSpec('sling', { sling: SLING }, { assets: [ASSET], ...dayPartition('2026-01-03') });
    const outcome = await folder.run(slingRunner, spec, {
      env: { IN: 'sqlite://in.db', OUT: 'sqlite://out.db' },
    });
    expect(outcome.end, outcome.stderr).toMatchObject({ status: 'ok' });
    const target = new SqliteDatabase(join(folder.work, 'out.db'), { readonly: true });
    const found = target.prepare('select count(*), min(id), max(id) from hours').raw().all();
    target.close();
    expect(found).toEqual([[24, 24, 47]]);
  },
);

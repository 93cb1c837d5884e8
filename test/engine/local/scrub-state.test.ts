import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { scrubState } from '../../../src/engine/local/scrub-state.ts';

const SECRET = 'planted-secret';
const HOLDS = `before ${SECRET} after`;
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'elt-scrub-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function put(name: string, content: string | Buffer = HOLDS): string {
  const file = join(dir, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

it('masks texts, removes what cannot be masked, and leaves what holds none or is the user’s', () => {
  const failed = put('dlt/pipelines/p/load/normalized/1.2/failed_jobs/t.exception');
  const trace = put('dlt/pipelines/p/trace.pickle', Buffer.from([128, 4, ...Buffer.from(HOLDS), 0]));
  const parsed = put('dbt/parsed/1.msgpack', Buffer.from(SECRET).toString('base64'));
  const innocent = put('dbt/parsed/2.msgpack', 'nothing');
  const rows = put('dlt/pipelines/p/load/normalized/1.2/new_jobs/t.jsonl');
  scrubState(dir, Date.now(), [SECRET]);
  expect(readFileSync(failed, 'utf8')).toBe('before *** after');
  expect([trace, parsed].map((file) => existsSync(file))).toEqual([false, false]);
  expect([innocent, rows].map((file) => readFileSync(file, 'utf8'))).toEqual(['nothing', HOLDS]);
});

it('looks only at what changed since the attempt began', () => {
  const old = put('dlt/pipelines/p/load/loaded/1.2/t.exception');
  utimesSync(old, 1, 1);
  utimesSync(dirname(old), 1, 1);
  const other = put('dlt/pipelines/p/load/loaded/1.3/t.exception');
  scrubState(dir, Date.now(), [SECRET]);
  expect(readFileSync(old, 'utf8')).toBe(HOLDS);
  expect(readFileSync(other, 'utf8')).toBe('before *** after');
});

it('is content without a state, and without a secret', () => {
  scrubState(join(dir, 'none'), 0, [SECRET]);
  const file = put('trace.pickle');
  scrubState(dir, 0, []);
  expect(existsSync(file)).toBe(true);
});

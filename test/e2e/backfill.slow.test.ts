import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BackfillDetail } from '../../src/server/contract/backfill.ts';
import type { RunSummary } from '../../src/server/contract/run.ts';
import { duckdbCount } from '../helpers/count-rows.ts';
import { createRepository, type TestRepository } from '../helpers/repository.ts';
import { ROOT, type RunningService, startService } from '../helpers/service.ts';

const FOLDER = 'pipelines/dlt/orders';
const DAYS = 31;
const PATH = '/api/v1/backfills';

/** The demo's orders alone: a backfill of a month is enough of a wait. */
function ordersOfTheDemo(): Record<string, string> {
  const root = join(ROOT, 'fixtures', 'repo');
  const files: Record<string, string> = {};
  for (const entry of readdirSync(join(root, FOLDER), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    files[file.slice(root.length + 1)] = readFileSync(file, 'utf8');
  }
  return files;
}

describe('the backfill of a month, with the service killed half way', () => {
  let repository: TestRepository;
  let home: string;
  let service: RunningService;
  const files = ordersOfTheDemo();

  beforeAll(async () => {
    repository = createRepository(files);
    home = mkdtempSync(join(tmpdir(), 'elt-home-'));
    service = await startService({ home, repo: repository.remote });
    await service.serves(repository.head());
  });
  afterAll(async () => {
    await service.stop();
    repository.remove();
    rmSync(home, { recursive: true, force: true });
  });

  it('loads each of its 31 days once', { timeout: 300_000 }, async () => {
    const { backfill_id: id } = await service.api<BackfillDetail>('POST', PATH, {
      selection: 'dlt_orders',
      partitions: { range: { start: '2026-01-01', end: '2026-01-31' } },
    });
    let succeeded = 0;
    await service.event((change) => {
      if (change.type === 'run_succeeded') succeeded += 1;
      return succeeded === Math.floor(DAYS / 2);
    });
    await service.stop('SIGKILL');
    service = await startService({ home, repo: repository.remote });
    const get = () => service.api<BackfillDetail>('GET', `${PATH}/${id}`);
    for (let after = 0; (await get()).ended_at === null; ) {
      after = (await service.event((change) => change.type === 'backfill_changed', after)).event_id;
    }
    expect(await get()).toMatchObject({
      status: 'COMPLETED_SUCCESS',
      counts: { total: DAYS, materialized: DAYS },
      runs: DAYS,
      submitted: DAYS,
    });
    const { items: runs } = await service.api<{ items: RunSummary[] }>('GET', '/api/v1/runs?limit=200');
    const ran = runs.map(
      ({ status, partitions }) => `${status} ${'key' in partitions ? partitions.key : ''}`,
    );
    const day = (n: number) => `2026-01-${String(n + 1).padStart(2, '0')}`;
    expect(ran.sort()).toEqual(Array.from({ length: DAYS }, (_, n) => `SUCCESS ${day(n)}`));

    const database = join(home, 'data', 'shared', 'shop.duckdb');
    const lines = Object.entries(files).filter(([path]) => path.endsWith('.jsonl'));
    const orders = lines.reduce((sum, [, text]) => sum + text.trim().split('\n').length, 0);
    expect(duckdbCount(database, 'raw_orders.orders')).toBe(orders);
    // What dlt itself counts: a load for each day, none twice.
    expect(duckdbCount(database, 'raw_orders._dlt_loads')).toBe(DAYS);
  });
});

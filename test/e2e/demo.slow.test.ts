import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunDetail } from '../../src/server/contract/run.ts';
import { duckdbCount, sqliteCount } from '../helpers/count-rows.ts';
import { createDemoRepository, type TestRepository } from '../helpers/repository.ts';
import { type RunningService, startService } from '../helpers/service.ts';

/** Building environments the first time is part of what is tested. */
const FIRST_BUILD_MS = 300_000;

describe('the demo, from Git to rows', () => {
  let repository: TestRepository;
  let home: string;
  let service: RunningService;

  beforeAll(async () => {
    repository = createDemoRepository();
    home = mkdtempSync(join(tmpdir(), 'elt-home-'));
    service = await startService({ home, repo: repository.remote });
    await service.serves(repository.head());
  });
  afterAll(async () => {
    await service.stop();
    repository.remove();
    rmSync(home, { recursive: true, force: true });
  });

  const data = (...path: string[]) => join(home, 'data', ...path);
  const rowsOf = (runs: readonly RunDetail[], key: string) =>
    runs.flatMap((run) => run.materializations).find((m) => m.asset_key === key)?.metadata['rows'];

  it('materializes everything with the latest partitions, and counts what lies in the files', {
    timeout: FIRST_BUILD_MS,
  }, async () => {
    const { run_ids: runIds } = await service.launch('*', { partition: 'latest' });
    const runs = await Promise.all(runIds.map((id) => service.ended(id)));
    const failed = runs.filter((run) => run.status !== 'SUCCESS');
    expect(failed.map((run) => [run.job_name, run.partitions, run.error?.message])).toEqual([]);

    const { items } = await service.api<{
      items: { key: string; kind: string; enabled: boolean; latest: unknown }[];
    }>('GET', '/api/v1/assets?limit=1000');
    const missing = items.filter(
      (asset) => asset.kind === 'materializable' && asset.enabled && asset.latest === null,
    );
    expect(missing.map((asset) => asset.key)).toEqual([]);

    const duckdb = data('shared', 'shop.duckdb');
    const sqlite = data('elt_pipelines', 'sling_shop_files', 'shop.db');
    expect(rowsOf(runs, 'dlt_shop_catalog/products')).toBe(duckdbCount(duckdb, 'raw_catalog.products'));
    expect(rowsOf(runs, 'dlt_shop_catalog/customers')).toBe(duckdbCount(duckdb, 'raw_catalog.customers'));
    expect(rowsOf(runs, 'dlt_shop_catalog/suppliers')).toBe(duckdbCount(duckdb, 'raw_catalog.suppliers'));
    expect(rowsOf(runs, 'sling_shop_files/stores')).toBe(sqliteCount(sqlite, 'stores'));
    expect(rowsOf(runs, 'sling_shop_files/price_list')).toBe(sqliteCount(sqlite, 'price_list'));
    expect(rowsOf(runs, 'sling_shop_files/stock_levels')).toBe(sqliteCount(sqlite, 'stock_levels'));
    expect(rowsOf(runs, 'mart_product_sales')).toBe(duckdbCount(duckdb, 'marts.mart_product_sales'));
  });

  it('is 7 rows higher everywhere after 7 rows were pushed', { timeout: 120_000 }, async () => {
    const path = 'pipelines/sling/shop_files/data/stores.csv';
    const sqlite = data('elt_pipelines', 'sling_shop_files', 'shop.db');
    const before = sqliteCount(sqlite, 'stores');
    const more = Array.from({ length: 7 }, (_, i) => `${100 + i},Linz,2026-02-0${i + 1},${90 + i}`).join(
      '\n',
    );
    const text = readFileSync(join(repository.clone, path), 'utf8');
    const commit = repository.push({ [path]: `${text.trimEnd()}\n${more}\n` });
    await service.api('POST', '/api/v1/components/elt_pipelines/refresh');
    await service.serves(commit);

    const { run_ids: runIds } = await service.launch('sling_shop_files/stores');
    const run = await service.ended(runIds[0]!);
    expect(run.status).toBe('SUCCESS');
    expect(run.commits).toMatchObject([{ commit }]);
    expect(rowsOf([run], 'sling_shop_files/stores')).toBe(before + 7);
    expect(sqliteCount(sqlite, 'stores')).toBe(before + 7);
    const asset = await service.api<{ latest_metadata: Record<string, unknown> }>(
      'GET',
      '/api/v1/assets/sling_shop_files%2Fstores',
    );
    expect(asset.latest_metadata['rows']).toBe(before + 7);
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunDetail, RunEvent } from '../../src/server/contract/run.ts';
import { checkPython, REQUIREMENTS } from '../helpers/check-environment.ts';
import { type JsonApi, startJsonApi } from '../helpers/json-api.ts';
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts';
import { createRepository, type TestRepository } from '../helpers/repository.ts';
import { type RunningService, startService } from '../helpers/service.ts';

const PIPELINE = `
import dlt
from dlt.sources.helpers import requests

@dlt.source
def shop(api_url: str = dlt.config.value, api_token: str = dlt.secrets.value):
    def pages(name, changed=dlt.sources.incremental("updated_at", initial_value="2026-01-01T00:00:00Z")):
        url = f"{api_url}/{name}?since={changed.last_value}"
        while url:
            response = requests.get(url, headers={"Authorization": f"Bearer {api_token}"})
            response.raise_for_status()
            yield response.json()["items"]
            url = response.json().get("next_page")

    for name in ("orders", "payments"):
        yield dlt.resource(pages, name=name, write_disposition="append")(name)

if __name__ == "__main__":
    print(dlt.pipeline("shop", destination="postgres", dataset_name="raw_shop").run(shop()))
`;
const PARALLEL = 'dlt: { asset_per: resource }\nmax_concurrent: 2\n';
const SERIAL = 'dlt: { asset_per: resource }\n';
const FOLDER = 'pipelines/dlt/shop';
const COUNTS = `select (select json_build_array(count(*), sum(id), count(distinct id)) from raw_shop.orders),
  (select json_build_array(count(*), sum(id), count(distinct id)) from raw_shop.payments)`;
const QUERY = `import json, psycopg2, sys
with psycopg2.connect(sys.argv[1]) as db, db.cursor() as cursor:
    cursor.execute(sys.argv[2]); print(json.dumps(cursor.fetchall(), default=str))`;

const rows = (count: number, seconds: number) =>
  Array.from({ length: count }, (_, id) => ({
    id,
    updated_at: new Date(Date.UTC(2026, 0, 1) + id * seconds * 1000).toISOString().replace('.000', ''),
    lines: [{ number: 1 }, { number: 2 }],
  }));

describe('two resources of one source, into one Postgres', () => {
  let postgres: TestPostgres | undefined;
  let skip: string | undefined;
  let api: JsonApi;
  let repository: TestRepository;
  let home: string;
  let service: RunningService;
  /** Names whose first page was asked for and not yet answered; null: nothing is held. */
  let held: { readonly names: Set<string>; readonly both: PromiseWithResolvers<void> } | null = null;

  beforeAll(async () => {
    const started = await startPostgres();
    if ('skip' in started) {
      skip = started.skip;
      return;
    }
    postgres = started;
    api = await startJsonApi({
      async inside(name) {
        if (held === null) return;
        held.names.add(name);
        if (held.names.size === 2) held.both.resolve();
        await held.both.promise;
      },
    });
    repository = createRepository({
      [`${FOLDER}/pipeline.py`]: PIPELINE,
      [`${FOLDER}/dagster.yaml`]: PARALLEL,
      [`${FOLDER}/requirements.txt`]: REQUIREMENTS,
    });
    home = mkdtempSync(join(tmpdir(), 'elt-home-'));
    service = await startService({
      home,
      repo: repository.remote,
      env: {
        ELT_MAX_CONCURRENT: '2',
        SOURCES__SHOP__API_URL: api.url,
        SOURCES__SHOP__API_TOKEN: api.token,
        DESTINATION__POSTGRES__CREDENTIALS: started.url,
      },
    });
    await service.serves(repository.head());
  });
  afterAll(async () => {
    await service?.stop();
    await api?.close();
    await postgres?.stop();
    repository?.remove();
    if (home !== undefined) rmSync(home, { recursive: true, force: true });
  });

  async function load(): Promise<RunDetail> {
    const { run_ids: runIds } = await service.launch('dlt_shop');
    const run = await service.ended(runIds[0]!);
    expect(run.steps_list.flatMap(({ error }) => error ?? [])).toEqual([]);
    return run;
  }
  async function query(sql: string): Promise<unknown[][]> {
    const python = await checkPython();
    const { stdout } = await execa(python, ['-c', QUERY, postgres!.url, sql]);
    return JSON.parse(stdout) as unknown[][];
  }
  /** From the first to the last word about a step's extraction, epoch milliseconds. */
  async function extraction(runId: string, step: string): Promise<readonly [number, number]> {
    const { items } = await service.api<{ items: RunEvent[] }>(
      'GET',
      `/api/v1/runs/${runId}/events?limit=500`,
    );
    const times = items
      .filter(({ step_key: key, payload }) => key === step && payload['stage'] === 'extract')
      .map(({ at }) => Date.parse(String(at)));
    return [Math.min(...times), Math.max(...times)];
  }

  it('are extracted at the same time, and come out as one after the other would', async (ctx) => {
    if (skip !== undefined) return ctx.skip(skip);
    api.set('orders', rows(120, 60));
    api.set('payments', rows(80, 90));
    // Neither gets its first page before both have asked: one after the other would wait for ever.
    held = { names: new Set(), both: Promise.withResolvers() };
    const run = await load();
    held = null;
    expect(run.steps_list.map(({ step_key, attempt }) => `${step_key} ${attempt}`).sort()).toEqual([
      'dlt_shop.orders 1',
      'dlt_shop.payments 1',
    ]);
    const [orders, payments] = await Promise.all([
      extraction(run.run_id, 'dlt_shop.orders'),
      extraction(run.run_id, 'dlt_shop.payments'),
    ]);
    expect(Math.max(orders[0], payments[0])).toBeLessThan(Math.min(orders[1], payments[1]));
    expect(await query(COUNTS)).toEqual([
      [
        [120, 7140, 120],
        [80, 3160, 80],
      ],
    ]);
    const states = await query('select distinct pipeline_name from raw_shop._dlt_pipeline_state order by 1');
    expect(states.flat()).toEqual(['shop__orders', 'shop__payments']);
  });

  it('one after the other goes on where they stopped, and the other way round', async (ctx) => {
    if (skip !== undefined) return ctx.skip(skip);
    for (const [settings, orders, payments] of [
      [SERIAL, 130, 90],
      [PARALLEL, 150, 95],
    ] as const) {
      const commit = repository.push({ [`${FOLDER}/dagster.yaml`]: settings });
      await service.api('POST', '/api/v1/components/elt_pipelines/refresh?wait=true');
      await service.serves(commit);
      api.set('orders', rows(orders, 60));
      api.set('payments', rows(payments, 90));
      const run = await load();
      expect(run.steps_list).toHaveLength(settings === SERIAL ? 1 : 2);
      const sum = (count: number) => (count * (count - 1)) / 2;
      expect(await query(COUNTS)).toEqual([
        [
          [orders, sum(orders), orders],
          [payments, sum(payments), payments],
        ],
      ]);
    }
  });
});

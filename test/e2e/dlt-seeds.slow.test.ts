import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AssetDetail } from '../../src/server/contract/asset.ts';
import type { RunDetail } from '../../src/server/contract/run.ts';
import { duckdbRows } from '../helpers/duckdb.ts';
import { type ApiRow, type JsonApi, startJsonApi } from '../helpers/json-api.ts';
import { createRepository, type TestRepository } from '../helpers/repository.ts';
import { type RunningService, startService } from '../helpers/service.ts';

/** One asset per resource, as a factory for Dagster makes them, each by a pipeline of its own name. */
const GITHUB = {
  'pipelines/dlt/github/github.py': `
import dlt
from dlt.sources.helpers import requests

resource_names = ["issues", "pull_requests", "repos", "forks", "stargazers"]

def pages(name, api_url, access_token):
    url = f"{api_url}/{name}"
    while url:
        response = requests.get(url, headers={"Authorization": f"Bearer {access_token}"})
        response.raise_for_status()
        yield response.json()["items"]
        url = response.json().get("next_page")

@dlt.source
def github_source(api_url: str = dlt.config.value, access_token: str = dlt.secrets.value):
    for name in resource_names:
        yield dlt.resource(pages, name=name, primary_key="id", write_disposition="merge")(name, api_url, access_token)
`,
  'pipelines/dlt/github/definitions.py': `
import os
import dlt
from dagster import define_asset_job, Definitions
from dagster.executors import multi_process_executor
from dagster_dlt import DagsterDltResource, dlt_assets

from .github import github_source

source = github_source()  # your dlt source
# Override incremental for "issues" from env
source.issues.apply_hints(
    incremental=dlt.sources.incremental(
        "updated_at",
        initial_value=os.getenv("ISSUES_INITIAL_VALUE", "1970-01-01T00:00:00Z"),
    ),
)

forks_initial = os.getenv("FORKS_INITIAL_VALUE", "")
forks_end = os.getenv("FORKS_END_VALUE", "")
if forks_initial and forks_end:
    source.forks.apply_hints(
        incremental=dlt.sources.incremental(
            "updated_at",
            initial_value=forks_initial,
            end_value=forks_end,
            row_order="ASC",
        ),
    )

def make_resource_asset(resource_name: str):
    @dlt_assets(
        dlt_source=source.with_resources(resource_name),
        dlt_pipeline=dlt.pipeline(
            pipeline_name=f"github_issues_{resource_name}",
            dataset_name="github",
            destination="duckdb",
            progress="log",
        ),
        name=f"github_{resource_name}",
        group_name="github",
    )
    def asset_fn(context, dlt_resource: DagsterDltResource):
        yield from dlt_resource.run(context=context)
    return asset_fn

resource_names = ["issues", "pull_requests", "repos", "forks", "stargazers"]
parallel_assets = [make_resource_asset(r) for r in resource_names]

github_job = define_asset_job(
    name="github_job",
    selection=parallel_assets,
    executor_def=multi_process_executor,
    config={"max_concurrent": 5},
)

defs = Definitions(
    assets=parallel_assets,
    jobs=[github_job],
    resources={"dlt": DagsterDltResource()},
)
`,
};

/** A source of one's own, declared in Dango's file, with its settings and secrets in dlt's. */
const DANGO = {
  'pipelines/dlt/dango/custom_sources/my_api.py': `
import dlt
from dlt.sources.helpers import requests

@dlt.source
def my_api_source(api_key: str = dlt.secrets.value, base_url: str = dlt.config.value):
    """Custom source for My API."""
    headers = {"Authorization": f"Bearer {api_key}"}

    @dlt.resource(write_disposition="merge", primary_key="id")
    def items():
        """Load items from API."""
        response = requests.get(f"{base_url}/items", headers=headers)
        response.raise_for_status()

        yield response.json()["items"]

    @dlt.resource(
        write_disposition="merge",
        primary_key="id"
    )
    def orders(
        updated_at: dlt.sources.incremental[str] = dlt.sources.incremental(
            "updated_at",
            initial_value="2024-01-01T00:00:00Z"
        )
    ):
        """Load orders incrementally."""
        # Only fetch records after last_value
        params = {"since": updated_at.last_value}
        response = requests.get(f"{base_url}/orders", params=params, headers=headers)
        response.raise_for_status()
        yield response.json()["items"]

    return items, orders
`,
  'pipelines/dlt/dango/.dango/sources.yml': `
sources:
  - name: my_custom_api
    type: dlt_native
    enabled: true
    dlt_native:
      source_module: "custom_sources.my_api"
      source_name: "my_api_source"
`,
};
const dangoConfig = (url: string): string => `
[sources.my_api_source]
base_url = "${url}"

[schema]
# Allow new columns
allow_new_columns = true
# Don't allow column removal
allow_column_removal = false

[runtime]
# Number of parallel workers
workers = 4
request_max_attempts = 3
request_backoff_factor = 1
`;

/** Generators in data.py, configured in definitions.py for a platform that is not installed. */
const WAREHOUSE = {
  'pipelines/dlt/warehouse/definitions.py': `
import dlt
from data_platform.dlt_factory import ConfigurableDltResource

from .data import api_generator, get_api_generator

resources = [
    ConfigurableDltResource.config(
        dlt.resource(
            # the generator you defined in the data.py file
            api_generator,
            # the schema and table to materialize on the warehouse
            name="shop.customers",
            table_name="customers",
            primary_key="id", # the primary key column
            write_disposition="merge", # how to incrementally load
        ),
        kinds={"api"},
        # aditional dagster configuration for orchestration and checks
        meta={
            "dagster": {
                "automation_condition": "on_schedule",
                "automation_condition_config": {
                    "cron_schedule": "@daily",
                    "cron_timezone": "utc",
                },
                "freshness_lower_bound_delta_seconds": 108000
            }
        },
    ),
    ConfigurableDltResource.config(
        dlt.resource(
            get_api_generator("suppliers"),
            name="shop.suppliers",
            table_name="suppliers",
            primary_key="id",
            write_disposition="merge",
        ),
        kinds={"api"}
    ),
    ConfigurableDltResource.config(
        dlt.resource(
            get_api_generator("visits"),
            name="web.visits",
            table_name="visits",
            primary_key="id",
            write_disposition="append",
        ),
        kinds={"api"}
    ),
]
`,
  'pipelines/dlt/warehouse/data.py': `
import os
from collections.abc import Callable, Generator
from typing import Any

import requests

headers = {"Authorization": "Bearer " + os.environ["WAREHOUSE_TOKEN"]}

def api_generator() -> Generator[Any, Any, None]:
    uri = os.environ["WAREHOUSE_URL"] + "/customers"
    response = requests.get(uri, headers=headers)
    yield response.json()["items"]
    while next_uri := response.json().get("next_page"):
        response = requests.get(next_uri, headers=headers)
        yield response.json()["items"]

def get_api_generator(endpoint: str) -> Callable[[], Any]:
    base_uri = os.environ["WAREHOUSE_URL"] + "/"

    def api_generator() -> Generator[Any, Any, None]:
        response = requests.get(base_uri+endpoint, headers=headers)
        yield response.json()["items"]
        while next_uri := response.json().get("next_page"):
            response = requests.get(next_uri, headers=headers)
            yield response.json()["items"]

    return api_generator
`,
  'pipelines/dlt/warehouse/dagster.yaml': `
env:
  WAREHOUSE_URL: "\${WAREHOUSE_URL}"
  WAREHOUSE_TOKEN: "\${WAREHOUSE_TOKEN}"
`,
};

const day = (number: number): string => new Date(Date.UTC(2026, 0, number)).toISOString().replace('.000', '');
const rows = (count: number, more: (id: number) => ApiRow = () => ({})): ApiRow[] =>
  Array.from({ length: count }, (_, id) => ({ id, updated_at: day(id + 1), ...more(id) }));

describe('folders as guides for dlt write them', () => {
  let api: JsonApi;
  let repository: TestRepository;
  let home: string;
  let database: string;
  let service: RunningService;
  const secret = (file: string, text: string): void => {
    const path = join(home, 'secrets', file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode: 0o600 });
  };
  const query = (sql: string): Promise<unknown[][]> => duckdbRows(database, sql);

  beforeAll(async () => {
    api = await startJsonApi({ pageSize: 10 });
    repository = createRepository({
      ...GITHUB,
      ...DANGO,
      'pipelines/dlt/dango/.dlt/config.toml': dangoConfig(api.url),
      ...WAREHOUSE,
    });
    home = mkdtempSync(join(tmpdir(), 'elt-home-'));
    database = join(home, 'data/shared/data.duckdb');
    secret('dango/.dlt/secrets.toml', `[sources.my_api_source]\napi_key = "${api.token}"\n`);
    service = await startService({
      home,
      repo: repository.remote,
      env: {
        ELT_SECRETS_DIR: join(home, 'secrets'),
        ELT_MAX_CONCURRENT: '5',
        SOURCES__GITHUB_SOURCE__API_URL: api.url,
        SOURCES__GITHUB_SOURCE__ACCESS_TOKEN: api.token,
        // One file for the pipelines of all names.
        DESTINATION__DUCKDB__CREDENTIALS: database,
        WAREHOUSE_URL: api.url,
        WAREHOUSE_TOKEN: api.token,
      },
    });
    await service.serves(repository.head());
  });
  afterAll(async () => {
    await service?.stop();
    await api?.close();
    repository?.remove();
    rmSync(home, { recursive: true, force: true });
  });

  async function load(selection: string, more: Record<string, unknown> = {}): Promise<RunDetail> {
    const { run_ids: runIds } = await service.launch(selection, more);
    const run = await service.ended(runIds[0]!);
    const errors = run.steps_list.map(({ error }) => error).filter((error) => error !== null);
    expect(errors).toEqual([]);
    expect(run.status).toBe('SUCCESS');
    return run;
  }
  const metadataOf = (run: RunDetail, asset: string): Readonly<Record<string, unknown>> =>
    run.materializations.find((one) => one.asset_key === asset)!.metadata;

  it('five resources are five assets and five pipelines in one DuckDB file, without a lock error', async () => {
    for (const name of ['issues', 'pull_requests', 'repos', 'forks', 'stargazers']) api.set(name, rows(30));
    secret('ISSUES_INITIAL_VALUE', day(21));
    const run = await load('dlt_github');
    expect(run.steps_list.map(({ step_key, attempt }) => `${step_key} ${attempt}`).sort()).toEqual([
      'dlt_github.forks 1',
      'dlt_github.issues 1',
      'dlt_github.pull_requests 1',
      'dlt_github.repos 1',
      'dlt_github.stargazers 1',
    ]);
    const { group } = await service.api<AssetDetail>(
      'GET',
      `/api/v1/assets/${encodeURIComponent('dlt_github/forks')}`,
    );
    expect(group).toBe('github');
    const counts = ['issues', 'pull_requests', 'repos', 'forks', 'stargazers'].map(
      (name) => `(select count(*) from github.${name})`,
    );
    // Issues before the 21st are left out by the variable alone.
    expect(await query(`select ${counts.join()}`)).toEqual([[10, 30, 30, 30, 30]]);
    const names = await query('select distinct pipeline_name from github._dlt_pipeline_state order by 1');
    expect(names.flat()).toEqual([
      'github_issues_forks',
      'github_issues_issues',
      'github_issues_pull_requests',
      'github_issues_repos',
      'github_issues_stargazers',
    ]);
  });

  it('a variable says from where on issues are loaded, without a change of code', async () => {
    secret('ISSUES_INITIAL_VALUE', day(6));
    await load('dlt_github/issues', { full_refresh: true });
    expect(await query('select count(*), min(updated_at)::date::text from github.issues')).toEqual([
      [25, '2026-01-06'],
    ]);
  });

  it('two variables make a backfill of forks in ascending order, which reads no further than its end', async () => {
    api.set(
      'forks',
      rows(200, (id) => ({ stars: id })),
    );
    secret('FORKS_INITIAL_VALUE', day(3));
    secret('FORKS_END_VALUE', day(8));
    const before = api.requests.length;
    const run = await load('dlt_github/forks');
    expect(metadataOf(run, 'dlt_github/forks')).toMatchObject({ rows: 5 });
    expect(
      await query(
        'select count(*), count(stars), min(id) filter (stars is not null), max(id) filter (stars is not null) from github.forks',
      ),
    ).toEqual([[30, 5, 2, 6]]);
    // Twenty pages lie there; the first has a row beyond the end.
    expect(api.requests.slice(before)).toEqual(['/forks']);
  });

  it('a source of .dango/sources.yml is loaded by its own name, new rows only the second time', async () => {
    api.set('items', rows(4));
    api.set('orders', rows(9));
    const first = await load('dlt_dango');
    expect(metadataOf(first, 'dlt_dango')).toMatchObject({
      pipeline: 'my_custom_api',
      dataset: 'raw_my_custom_api',
      tables: { items: { rows: 4, files: 1 }, orders: { rows: 9, files: 1 } },
      cursor: { 'orders.updated_at': day(9) },
      first_run: true,
    });
    api.set('items', [...rows(4, () => ({ color: 'red' })), { id: 7, updated_at: day(1) }]);
    api.set('orders', rows(12));
    const second = metadataOf(await load('dlt_dango'), 'dlt_dango');
    expect(second).toMatchObject({
      cursor_before: { 'orders.updated_at': day(9) },
      cursor: { 'orders.updated_at': day(12) },
      // The schema went along with the new column.
      schema_changes: [{ table: 'items', change: 'column_added', column: 'color', type: 'text' }],
    });
    expect(second['tables']).toMatchObject({ orders: { rows: 3 } });
    expect(api.requests.filter((path) => path.startsWith('/orders')).at(-1)).toContain('since=2026-01-09');
    expect(
      await query(
        'select (select count(*) from raw_my_custom_api.items), (select count(color) from raw_my_custom_api.items), (select count(*) from raw_my_custom_api.orders)',
      ),
    ).toEqual([[5, 4, 12]]);
  });

  it('is loaded anew by its name, with a full refresh', async () => {
    api.set('orders', rows(5));
    const { run_ids: runIds } = await service.api<{ run_ids: string[] }>('POST', '/api/v1/runs', {
      source: 'my_custom_api',
      full_refresh: true,
    });
    expect((await service.ended(runIds[0]!)).status).toBe('SUCCESS');
    expect(await query('select count(*) from raw_my_custom_api.orders')).toEqual([[5]]);
  });

  it('resources that definitions.py configures are assets with their settings, loaded from data.py', async () => {
    api.set('customers', rows(23));
    api.set('suppliers', rows(3));
    api.set('visits', rows(14));
    await load('dlt_warehouse');
    expect(
      await query(
        'select (select count(*) from shop.customers), (select count(*) from shop.suppliers), (select count(*) from web.visits)',
      ),
    ).toEqual([[23, 3, 14]]);
    const path = `/api/v1/assets/${encodeURIComponent('dlt_warehouse/shop.customers')}`;
    const asset = await service.api<AssetDetail>('GET', path);
    expect(asset).toMatchObject({
      kinds: expect.arrayContaining(['api']),
      automation_condition: expect.stringContaining('on_schedule'),
      freshness: { lower_bound_delta_seconds: 108000 },
    });
  });
});

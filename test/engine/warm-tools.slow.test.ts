import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CheckConfig, DbtConfig, DltConfig } from '../../src/discovery/pipeline-config.ts';
import { createWarmStarts, type WarmStarts } from '../../src/engine/local/warm/warm-starts.ts';
import type { LoggedEvent } from '../../src/events/run-event.ts';
import { createLogger } from '../../src/lib/log.ts';
import { dbtRunner } from '../../src/runners/dbt.ts';
import { dltRunner } from '../../src/runners/dlt.ts';
import { duckdbCount } from '../helpers/duckdb.ts';
import { openTestEngine, type TestEngine, type TestStep } from '../helpers/engine.ts';
import { dayPartition } from '../helpers/run-step-command.ts';
import { ROOT, testTools } from '../helpers/tool-environments.ts';

const DLT: DltConfig = {
  script: 'pipeline.py',
  sourceArgs: {},
  resources: [],
  assetPer: 'pipeline',
  incremental: {},
};
const DBT: DbtConfig = { vars: {}, assetSets: [], translator: { sourceKey: 'name', modelKey: 'name' } };

let home: string;
let test: TestEngine;
let warmStarts: WarmStarts;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'elt-warm-tools-'));
  const { python } = await testTools();
  const environment = { PATH: process.env['PATH']!, LANG: 'C.UTF-8' };
  warmStarts = createWarmStarts({
    pythonDir: join(ROOT, 'python'),
    environment: () => environment,
    logger: createLogger('silent'),
  });
  test = await openTestEngine({ home, python, runners: [dltRunner, dbtRunner], warmStarts, environment });
});
afterAll(async () => {
  await test.close();
  await warmStarts.close();
  rmSync(home, { recursive: true, force: true });
});

async function run(step: TestStep): Promise<{ log: readonly string[]; events: readonly LoggedEvent[] }> {
  const runId = await test.run([step]);
  const log = await test.log(runId, step.stepKey);
  expect((await test.store.runs.state(runId))!.steps[step.stepKey]!.error).toBeNull();
  expect(log.filter((line) => line.startsWith('stderr Traceback'))).toEqual([]);
  return { log, events: (await test.events(runId)).map(({ event }) => event) };
}

/** A dlt folder whose script prints what dlt knows, and whether it was forked. */
function dlt(stepKey: string, script: string, fields: Partial<TestStep> = {}): TestStep {
  const text = `
import json, os, sys, dlt
from dlt.common.runtime.run_context import active
from dlt.common.time import get_context_timezone
def known():
    return {
        "forked": "elt_runner.warm.server" in sys.modules,
        "config": dlt.config.get("shop.word"), "secret": dlt.secrets.get("sources.shop.api_key"),
        "settings": os.path.relpath(os.path.join(os.getcwd(), active().settings_dir), os.getcwd()),
        "data": active().data_dir.split("/state/")[1], "zone": str(get_context_timezone()),
    }
${script}
`;
  return {
    stepKey,
    pipeline: stepKey,
    tool: 'dlt',
    ...fields,
    files: { 'pipeline.py': text, ...fields.files },
    config: { dlt: DLT, ...fields.config },
  };
}

function said<T>(log: readonly string[]): T {
  const line = log.find((each) => each.startsWith('stdout {'));
  return JSON.parse(line!.slice('stdout '.length)) as T;
}

it('dlt: configuration, secrets, folders, zone and cursors of a step are its own', async () => {
  const load =
    'dlt.pipeline("shop", destination="duckdb", dataset_name="raw").run([{"id": 1}], table_name="t")';
  const first = dlt('first', `${load}\nprint(json.dumps(known()))`, {
    files: { '.dlt/config.toml': 'shop.word = "of the first"\n' },
    config: { dlt: DLT, env: { SOURCES__SHOP__API_KEY: 'hunter22-first' } },
    spec: { ...dayPartition('2026-01-05'), timezone: 'Europe/Berlin' },
  });
  const { log } = await run(first);
  expect(said(log)).toEqual({
    forked: true,
    config: 'of the first',
    secret: '***',
    settings: '.dlt',
    data: expect.stringMatching(/^elt_pipelines\/first\/dlt\/partitions\//) as string,
    zone: 'Europe/Berlin',
  });
  const look = 'print(json.dumps(known()))';
  const second = await run(dlt('second', look));
  expect(said(second.log)).toEqual({
    forked: true,
    config: null,
    secret: null,
    settings: '.dlt',
    data: 'elt_pipelines/second/dlt',
    zone: 'UTC',
  });
});

it('dlt with declared checks: the tool is forked once more, and what it does and how it ends is the same', async () => {
  const file = join(home, 'checked.duckdb');
  const rows: CheckConfig = {
    name: 'rows',
    type: 'row_count',
    blocking: true,
    severity: 'ERROR',
    settings: { min: 2 },
  };
  const load = `
where = os.environ["SHOP_DB"]
pipeline = dlt.pipeline("shop", destination=dlt.destinations.duckdb(where), dataset_name="raw")
pipeline.run([{"id": 1}, {"id": 2}], table_name="orders")
print(json.dumps({**known(), "parent": open(f"/proc/{os.getppid()}/cmdline").read().split(chr(0))[2]}))`;
  const step = dlt('checked', load, { declaredChecks: [rows], config: { dlt: DLT, env: { SHOP_DB: file } } });
  const { log, events } = await run(step);
  expect(said(log)).toMatchObject({ forked: true, parent: 'checked' });
  expect(log).toContain('stdout check checked:rows passed: 2 rows');
  expect(await duckdbCount(file, 'select count(*) from raw.orders')).toBe(2);
  const types = events.map((event) => event.type);
  expect(types.indexOf('materialization')).toBeLessThan(types.indexOf('check'));

  const failing = await test.run([dlt('failing', 'raise SystemExit(7)', { declaredChecks: [rows] })]);
  const { error } = (await test.store.runs.state(failing))!.steps['failing']!;
  expect(error).toMatchObject({ exitCode: 1, message: expect.stringContaining('exit code 7') as string });
});

it('dbt: projects of one environment are built one after the other as by themselves', async () => {
  for (const [stepKey, rows] of [
    ['marts', 3],
    ['other', 5],
  ] as const) {
    const file = join(home, `of-${stepKey}.duckdb`);
    const step: TestStep = {
      stepKey,
      pipeline: stepKey,
      tool: 'dbt',
      config: { dbt: DBT, env: { WHERE: file } },
      spec: {
        assets: [
          {
            key: 'one',
            resource: `model.${stepKey}.one`,
            partitions: { kind: 'none' },
            blockingChecks: [],
            codeVersion: '1',
          },
        ],
      },
      files: {
        'dbt_project.yml': `name: ${stepKey}\nprofile: shop\nversion: "1.0"\non-run-start: ["{{ log(modules.datetime.datetime.now() ~ ' ' ~ invocation_id, info=True) }}"]\n`,
        'profiles.yml': `shop: {target: dev, outputs: {dev: {type: duckdb, path: "{{ env_var('WHERE') }}", schema: marts}}}\n`,
        'models/one.sql': `{{ config(materialized="table") }}\nselect * from range(${rows})\n`,
      },
    };
    const { events } = await run(step);
    expect(events.find((event) => event.type === 'materialization')).toMatchObject({ metadata: { rows } });
    expect(await duckdbCount(file, 'select count(*) from marts.one')).toBe(rows);
  }
  expect(warmStarts.servers()).toHaveLength(2);
});

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import type { DltConfig } from '../../src/discovery/pipeline-config.ts';
import { dltRunner } from '../../src/runners/dlt.ts';
import { duckdbRows } from '../helpers/duckdb.ts';
import { StepFolder, type StepOutcome, stepSpec } from '../helpers/run-step-command.ts';
import { testTools } from '../helpers/tool-environments.ts';

beforeAll(async () => void (await testTools()));

const DLT: DltConfig = {
  script: 'pipeline.py',
  sourceArgs: {},
  resources: [],
  assetPer: 'pipeline',
  incremental: {},
};
/** Two loads that append; the second one fails until a file is there. */
const SCRIPT = `
import os, dlt
pipeline = dlt.pipeline("shop", destination=dlt.destinations.duckdb("shop.duckdb"), dataset_name="raw")
pipeline.run([{"id": 1}, {"id": 2}], table_name="first")
if not os.path.exists("mended"):
    raise RuntimeError("not yet")
pipeline.run([{"id": 3}], table_name="second")
`;

it.each<[string, string | undefined, number]>([
  ['made by a policy goes on where the old one ended', 'old', 2],
  ['that somebody asks for is new work', undefined, 4],
])('a run retry %s', async (_name, firstRunId, rows) => {
  const folder = await StepFolder.create({ 'pipeline.py': SCRIPT });
  const run = (runId: string, first?: string): Promise<StepOutcome> =>
    folder.run(
      dltRunner,
      stepSpec('dlt', { dlt: DLT }, { runId, ...(first === undefined ? {} : { firstRunId: first }) }),
    );
  expect((await run('old')).end).toMatchObject({ status: 'failed' });
  await writeFile(join(folder.work, 'mended'), '');
  const retried = await run('new', firstRunId);
  expect(retried.end, retried.stderr).toMatchObject({ status: 'ok' });
  const sql = 'select (select count(*) from raw.first), (select count(*) from raw.second)';
  expect(await duckdbRows(join(folder.work, 'shop.duckdb'), sql)).toEqual([[rows, 1]]);
});

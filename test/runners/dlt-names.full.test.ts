import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { DltConfig } from '../../src/discovery/pipeline-config.ts';
import type { PlannedAsset } from '../../src/plan/run-plan.ts';
import { dltRunner } from '../../src/runners/dlt.ts';
import { duckdbRows } from '../helpers/duckdb.ts';
import { StepFolder, stepSpec } from '../helpers/run-step-command.ts';

const SCRIPT = `
import os, dlt

def pages(changed=dlt.sources.incremental("n", initial_value=0)):
    yield [{"n": n} for n in range(int(os.environ["COUNT"]))]

orders = dlt.resource(pages, name="orders", write_disposition="append")
payments = dlt.resource(pages, name="payments", write_disposition="append")

@dlt.source
def shop():
    return orders, payments

@dlt.source
def other():
    return orders, payments

if __name__ == "__main__":
    pipeline = dlt.pipeline("shop", destination=dlt.destinations.duckdb("x.duckdb"), dataset_name="raw")
    if os.environ.get("PENDING"):
        pipeline.load = lambda *a, **k: os._exit(9)
    print(pipeline.run(DATA))
`;
const DLT: DltConfig = {
  script: 'pipeline.py',
  sourceArgs: {},
  resources: [],
  assetPer: 'resource',
  incremental: {},
};

function asset(resource: string): PlannedAsset {
  const key = `dlt_shop/${resource}`;
  return { key, resource, partitions: { kind: 'none' }, blockingChecks: [], codeVersion: '1' };
}

/** Loads by one name for all, and by one name each, in turn; every time the source has two more rows of each. */
async function turns(data: string) {
  const folder = await StepFolder.create({ 'pipeline.py': SCRIPT.replace('DATA', data) });
  let run = 0;
  const load = async (maxConcurrent: number, count: number, resources: string[], more = {}) => {
    const spec = stepSpec('dlt', { dlt: DLT, maxConcurrent }, { assets: resources.map(asset) });
    const own = { ...spec, ref: { ...spec.ref, runId: `run-${(run += 1)}` } };
    return folder.run(dltRunner, own, { env: { COUNT: String(count), ...more } });
  };
  const counts = async () =>
    (
      await duckdbRows(
        join(folder.work, 'x.duckdb'),
        'select (select count(*) from raw.orders), (select count(*) from raw.payments)',
      )
    )[0];
  const alone = async (count: number) => {
    for (const name of ['orders', 'payments']) {
      const outcome = await load(2, count, [name]);
      expect(outcome.end, outcome.stderr).toMatchObject({ status: 'ok' });
    }
  };
  const together = async (count: number) => {
    const outcome = await load(1, count, ['orders', 'payments']);
    expect(outcome.end, outcome.stderr).toMatchObject({ status: 'ok' });
  };
  return { load, alone, together, counts };
}

it.each([
  ['a source of the pipeline’s name', 'shop()'],
  ['a source of another name', 'other()'],
  ['resources of a source', '[shop().orders, shop().payments]'],
  ['resources of no source', '[orders, payments]'],
])('appends of %s go on where they stopped when names become one each, and one again', async (_, data) => {
  const { alone, together, counts } = await turns(data);
  await together(3);
  await alone(5);
  expect(await counts()).toEqual([5, 5]);
  await together(7);
  await together(9);
  expect(await counts()).toEqual([9, 9]);
  await alone(11);
  expect(await counts()).toEqual([11, 11]);
});

it('rows that were extracted under the common name are loaded before a name of its own goes on', async () => {
  const { load, alone, counts } = await turns('shop()');
  const died = await load(1, 4, ['orders', 'payments'], { PENDING: '1' });
  expect(died.exitCode).toBe(9);
  await alone(6);
  expect(await counts()).toEqual([6, 6]);
});

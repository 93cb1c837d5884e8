import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import type { DltConfig, PipelineConfig } from '../../src/discovery/pipeline-config.ts';
import type { PlannedAsset } from '../../src/plan/run-plan.ts';
import { dltRunner } from '../../src/runners/dlt.ts';
import { duckdbRows } from '../helpers/duckdb.ts';
import { StepFolder, stepSpec } from '../helpers/run-step-command.ts';
import { testEnvironments } from '../helpers/tool-environments.ts';

/** Dies when a job of this table is through at the destination: what older releases put down of it is that it is over. */
const SCRIPT = `
import os, signal, dlt
from dlt.common.storages.load_package import PackageStorage
done = PackageStorage.complete_job
def die(self, load_id, file_name):
    if file_name.startswith(os.environ.get("DIE", "-")): os.kill(os.getpid(), signal.SIGKILL)
    return done(self, load_id, file_name)
PackageStorage.complete_job = die
@dlt.resource(write_disposition=os.environ["DISPOSITION"], primary_key="n")
def visits(changed=dlt.sources.incremental("n", initial_value=0)):
    for n in range(int(os.environ["COUNT"])):
        row = {"n": n, "pages": [{"p": 1}, {"p": 2}]}
        if os.environ.get("BAD"): row["bad"] = 1
        yield row
@dlt.source
def shop(): return visits
if __name__ == "__main__":
    print(dlt.pipeline("p", destination=dlt.destinations.duckdb("shop.duckdb"), dataset_name="raw").run(shop()))
`;
const DLT: DltConfig = {
  script: 'pipeline.py',
  sourceArgs: {},
  resources: [],
  assetPer: 'pipeline',
  incremental: {},
};
const VISITS: PlannedAsset = {
  key: 'dlt_shop/visits',
  resource: 'visits',
  partitions: { kind: 'none' },
  blockingChecks: [],
  codeVersion: '1',
};
let python: string;

beforeAll(async () => {
  const treeDir = mkdtempSync(join(tmpdir(), 'elt-old-dlt-'));
  writeFileSync(join(treeDir, 'requirements.txt'), 'dlt[duckdb]==1.20.*\n');
  const config = { requirements: 'requirements.txt' };
  ({ python } = await testEnvironments().ensure({ config, treeDir }));
  rmSync(treeDir, { recursive: true });
});

it.each(['append', 'merge', 'replace'])(
  'dlt 1.20: a kill after the commit, a broken contract and a name of its own, to %s',
  async (disposition) => {
    const folder = await StepFolder.create({ 'pipeline.py': SCRIPT });
    const load = (
      runId: string,
      attempt: number,
      more: Record<string, string>,
      config: Partial<PipelineConfig>,
    ) => {
      const fields = config.dlt?.assetPer === 'resource' ? { assets: [VISITS] } : {};
      const spec = stepSpec('dlt', { dlt: DLT, ...config }, fields);
      const env = { DISPOSITION: disposition, ...more };
      return folder.run(dltRunner, { ...spec, ref: { ...spec.ref, runId, attempt } }, { env, python });
    };
    const counts = () =>
      duckdbRows(
        join(folder.work, 'shop.duckdb'),
        'select (select count(*) from raw.visits), (select count(*) from raw.visits__pages)',
      );
    const killed = await load('run-1', 1, { COUNT: '7', DIE: 'visits.' }, {});
    expect(killed.signal, killed.stderr).toBe('SIGKILL');
    const retry = await load('run-1', 2, { COUNT: '7' }, {});
    expect(retry.end, retry.stderr).toMatchObject({ status: 'ok' });
    expect(await counts()).toEqual([[7, 14]]);

    const frozen: DltConfig = { ...DLT, schemaContract: { columns: 'freeze' } };
    const refused = await load('run-2', 1, { COUNT: '9', BAD: '1' }, { dlt: frozen });
    expect(refused.end).toMatchObject({ status: 'failed', failure_class: 'data' });
    const good = await load('run-3', 1, { COUNT: '9' }, {});
    expect(good.end, good.stderr).toMatchObject({ status: 'ok' });
    expect(await counts()).toEqual([[9, 18]]);

    const perResource: DltConfig = { ...DLT, assetPer: 'resource' };
    const alone = await load('run-4', 1, { COUNT: '11' }, { dlt: perResource, maxConcurrent: 2 });
    expect(alone.end, alone.stderr).toMatchObject({ status: 'ok' });
    expect(alone.materialized['dlt_shop/visits']).toMatchObject({ pipeline: 'p__visits' });
    expect(await counts()).toEqual([[11, 22]]);
  },
);

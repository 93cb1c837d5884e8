import { existsSync, mkdirSync, mkdtempSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DltDrop, DltPipelineDetail } from '../../src/server/contract/dlt-state.ts';
import type { AuditList } from '../../src/server/contract/instance.ts';
import type { LaunchResponse, RunDetail } from '../../src/server/contract/run.ts';
import { duckdbRows } from '../helpers/duckdb.ts';
import { createRepository, type TestRepository } from '../helpers/repository.ts';
import { runCli } from '../helpers/run-cli.ts';
import { type RunningService, startService, TEST_CACHE } from '../helpers/service.ts';

/** Its drop waits for a file as soon as it has begun, if it is asked to. */
const PIPELINE = `import os
import time

import dlt

HOLD = os.environ["HOLD_DIR"]
if os.path.exists(HOLD + "/hold"):
    from elt_runner import dlt_drop

    execute = dlt_drop.execute

    def when_let_go(*arguments):
        open(HOLD + "/begun", "a").close()
        while not os.path.exists(HOLD + "/go"):
            time.sleep(0.02)
        execute(*arguments)

    dlt_drop.execute = when_let_go

@dlt.resource(write_disposition="append")
def orders(updated_at=dlt.sources.incremental("updated_at", initial_value="2024-01-01T00:00:00Z")):
    yield [{"id": day, "updated_at": f"2024-01-{day:02}T00:00:00Z"} for day in range(1, 11)]

if __name__ == "__main__":
    destination = dlt.destinations.duckdb(os.environ["DUCKDB_DATABASE"])
    print(dlt.pipeline("shop", destination=destination, dataset_name="raw").run(orders))
`;
const FOLDER = 'pipelines/dlt/shop';
const PATH = '/api/v1/pipelines/elt_pipelines/dlt_shop';

describe('the state of a dlt pipeline', () => {
  let repository: TestRepository;
  let home: string;
  let hold: string;
  let service: RunningService;
  let env: Record<string, string>;

  beforeAll(async () => {
    repository = createRepository({
      [`${FOLDER}/pipeline.py`]: PIPELINE,
      [`${FOLDER}/dagster.yaml`]: 'kinds: [dlt, duckdb]\nenv: { HOLD_DIR: "${HOLD_DIR}" }\n',
    });
    home = mkdtempSync(join(tmpdir(), 'elt-home-'));
    hold = join(home, 'hold');
    mkdirSync(hold);
    env = { ELT_HOME: home, ELT_CACHE_DIR: TEST_CACHE };
    service = await start();
    await service.serves(repository.head());
  });
  afterAll(async () => {
    await service.stop();
    repository.remove();
    rmSync(home, { recursive: true, force: true });
  });

  const start = () => startService({ home, repo: repository.remote, env: { HOLD_DIR: hold } });
  const elt = (...args: string[]) => runCli(args, { env, cwd: home });
  const rows = () =>
    duckdbRows(join(home, 'data/shared/data.duckdb'), 'select count(*), count(distinct id) from raw.orders');

  it('is synced, told, and dropped by a run that outlives its service; the next load has every row once', async () => {
    const synced = await elt('sync', '--source', 'shop', '--wait', '--log-level', 'DEBUG');
    expect(synced.code, synced.stderr).toBe(0);
    const [load] = (await service.api<{ items: RunDetail[] }>('GET', '/api/v1/runs')).items;
    expect((await service.log(load!.run_id, 'dlt_shop')).join('\n')).toMatch(/DEBUG/);

    const state = await elt('pipeline', 'sync-state', 'shop');
    expect(state.code, state.stderr).toBe(0);
    expect(state.stdout).toBe(
      [
        'resource: orders',
        '  cursor: updated_at',
        '  initial_value: 2024-01-01T00:00:00Z',
        '  last_value: 2024-01-10T00:00:00Z',
        '  rows_synced: 10',
        '',
      ].join('\n'),
    );
    const refused = await elt('pipeline', 'drop', 'shop');
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('needs --yes')]);

    writeFileSync(join(hold, 'hold'), '');
    const begun = appears(hold, 'begun');
    const { run_ids: ids } = await service.api<LaunchResponse>('POST', `${PATH}/drop`, {});
    await begun;
    // A load that is asked for meanwhile waits: the drop has the pipeline's slot and its database file.
    const waiting = await service.launch('dlt_shop');
    const queued = await service.api<RunDetail>('GET', `/api/v1/runs/${waiting.run_ids[0]}`);
    expect(queued).toMatchObject({
      status: 'QUEUED',
      steps_list: [{ waiting_for: expect.stringMatching(/pool/) }],
    });
    await service.stop('SIGKILL');
    rmSync(join(hold, 'hold'));
    service = await start();
    writeFileSync(join(hold, 'go'), '');
    expect(await service.ended(ids[0]!)).toMatchObject({ status: 'SUCCESS', job_name: 'drop dlt_shop' });
    const drop = await service.api<DltDrop>('GET', `${PATH}/drops/${ids[0]}`);
    expect(drop.dropped).toMatchObject([
      {
        pipeline: 'shop',
        tables: [{ name: 'orders', rows: 10 }],
        cursors: [{ last_value: '2024-01-10T00:00:00Z' }],
      },
    ]);
    expect(existsSync(join(home, 'state/elt_pipelines/dlt_shop/dlt/drop.json'))).toBe(false);

    expect(await service.ended(waiting.run_ids[0]!)).toMatchObject({ status: 'SUCCESS' });
    expect(await rows()).toEqual([[10, 10]]);
    const { items: audit } = await service.api<AuditList>('GET', '/api/v1/audit');
    expect(audit.filter(({ action }) => action === 'dlt_state.drop')).toHaveLength(1);
    const detail = await service.api<DltPipelineDetail>('GET', PATH);
    expect(detail).toMatchObject({ drops: [{ status: 'SUCCESS' }], assets: [{ rows: 10 }] });
    const list = await elt('pipeline', 'list');
    expect(list.stdout).toMatch(
      /^dlt_shop +orders +duckdb \/ raw .* 10 +orders\.updated_at 2024-01-10T00:00:00Z$/m,
    );
  });
});

function appears(folder: string, name: string): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(folder, () => {
      if (!existsSync(join(folder, name))) return;
      watcher.close();
      resolve();
    });
  });
}

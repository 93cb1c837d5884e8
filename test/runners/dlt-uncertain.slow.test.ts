import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import type { DltConfig } from '../../src/discovery/pipeline-config.ts';
import { dltRunner } from '../../src/runners/dlt.ts';
import { duckdbRows } from '../helpers/duckdb.ts';
import { StepFolder, type StepOutcome, stepSpec } from '../helpers/run-step-command.ts';
import { testTools } from '../helpers/tool-environments.ts';

/** Dies after the destination has committed a table's rows, before dlt has put that down. */
const SCRIPT = `
import os, signal, dlt
from dlt.common.storages.load_package import PackageStorage

save = PackageStorage.save_pending_transition

def die(self, load_id, file_name, state, failed_message=None):
    if file_name.startswith(os.environ.get("DIE_AFTER", "-")):
        os.kill(os.getpid(), signal.SIGKILL)
    save(self, load_id, file_name, state, failed_message)

PackageStorage.save_pending_transition = die

def run():
    pipeline = dlt.pipeline("p", destination=dlt.destinations.duckdb("shop.duckdb"), dataset_name="raw")
    visits = [{"number": n, "it's": "a 'quoted', text\\n", "pages": [{"path": "/"}, {"path": "/a"}]} for n in range(7)]
    disposition = os.environ["DISPOSITION"]
    print(pipeline.run(visits, table_name="visits", write_disposition=disposition))
`;
const DLT: DltConfig = {
  script: 'pipeline.py',
  sourceArgs: {},
  resources: [],
  assetPer: 'pipeline',
  incremental: {},
};

describe('E1: killed between the destination’s commit and its record', () => {
  async function killed(disposition: string, table: string) {
    const folder = await StepFolder.create({ 'pipeline.py': SCRIPT });
    const database = join(folder.work, 'shop.duckdb');
    const attempt = (number: number, more: Record<string, string> = {}, dlt: Partial<DltConfig> = {}) => {
      const spec = stepSpec('dlt', { dlt: { ...DLT, ...dlt } }, { attempt: number });
      const own = { ...spec, ref: { ...spec.ref, attempt: number } };
      return folder.run(dltRunner, own, { env: { DISPOSITION: disposition, ...more } });
    };
    const first = await attempt(1, { DIE_AFTER: table });
    expect([first.signal, first.end]).toEqual(['SIGKILL', undefined]);
    const counts = () =>
      duckdbRows(
        database,
        'select (select count(*) from raw.visits), (select count(*) from raw.visits__pages), (select count(*) from raw._dlt_loads)',
      );
    return { folder, database, attempt, counts };
  }

  it.each([
    ['append', 'visits.'],
    ['append', 'visits__pages'],
    ['replace', 'visits.'],
  ])(
    '%s, at %s: the destination is asked for the rows, and nothing is there twice',
    async (disposition, table) => {
      const { attempt, counts } = await killed(disposition, table);
      const retry = await attempt(2);
      expect(retry.end, retry.stderr).toMatchObject({ status: 'ok' });
      expect(await counts()).toEqual([[7, 14, 1]]);
      expect(retry.materialized['dlt_shop']).toMatchObject({ rows: 7 });
      expect(messages(retry)).toContainEqual(expect.stringContaining('had been committed already'));
    },
  );

  it('is uncertain where the destination has a part of the rows: nothing is written until somebody says how to go on', async () => {
    const { attempt, counts, database } = await killed('append', 'visits.');
    const { python } = await testTools();
    const spoil =
      'import duckdb, sys; duckdb.connect(sys.argv[1]).execute("delete from raw.visits where number = 3")';
    await execa(python, ['-c', spoil, database]);

    const retry = await attempt(2);
    expect(retry.exitCode).toBe(1);
    expect(retry.end).toMatchObject({
      status: 'failed',
      failure_class: 'data',
      error: {
        name: 'LoadUncertain',
        message: expect.stringMatching(
          /load \d+\.\d+ may have written visits \(7 rows\) or not\. Look whether .*dlt: \{ on_uncertain: skip \}/,
        ),
      },
    });
    const failed = retry.events.find((event) => event.type === 'stage_end' && event.ok === false);
    expect(failed?.metadata).toEqual({ uncertain: { [loadId(retry)]: { visits: 7 } } });
    expect((await counts())[0]?.[0]).toBe(6);

    const told = await attempt(3, {}, { onUncertain: 'skip' });
    expect(told.end, told.stderr).toMatchObject({ status: 'ok' });
    expect(await counts()).toEqual([[6, 14, 1]]);
    expect(told.materialized['dlt_shop']).toMatchObject({ uncertain: { [loadId(retry)]: { visits: 7 } } });
  });

  it('drops what was left if it is told so, and says which rows stay', async () => {
    const { attempt, counts } = await killed('append', 'visits__pages');
    const retry = await attempt(2, {}, { onPending: 'abort' });
    expect(retry.end, retry.stderr).toMatchObject({ status: 'ok' });
    expect(messages(retry)).toContainEqual(
      expect.stringMatching(/aborted what was left pending .*on_pending: abort/),
    );
    // The data was extracted again; whether a table was written before depends on which of the two came first.
    const [visits, pages] = (await counts())[0] as [number, number];
    expect([visits % 7, pages % 14]).toEqual([0, 0]);
    expect(pages).toBe(28);
  });
});

function messages(outcome: StepOutcome): unknown[] {
  return outcome.events.filter((event) => event.type === 'log').map((event) => event.message);
}

function loadId(outcome: StepOutcome): string {
  return /load (\d+\.\d+)/.exec((outcome.end!.error as { message: string }).message)![1]!;
}

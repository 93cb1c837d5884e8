import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DltConfig } from '../../src/discovery/pipeline-config.ts';
import type { StepSpec } from '../../src/plan/step-spec.ts';
import { dltRunner } from '../../src/runners/dlt.ts';
import { duckdbRows } from '../helpers/duckdb.ts';
import { StepFolder, type StepOutcome, stepSpec } from '../helpers/run-step-command.ts';

export type Disposition = 'replace' | 'append' | 'merge';

/**
 * One resource with a cursor and one without, both with nested data. KILL_AT counts changes of files: dlt's state on disk
 * moves by these alone, so a kill before the n-th, or a little later, finds every moment of a load.
 */
const SCRIPT = `
import os, signal, sys, threading, time
import dlt

changes = 0
reached = threading.Event()

def count(event, arguments):
    global changes
    if event == "open":
        path, mode, flags = arguments
        is_change = any(letter in mode for letter in "wax+") if mode else flags & (os.O_WRONLY | os.O_RDWR)
    else:
        is_change = event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree")
    if not is_change:
        return
    changes += 1
    if changes == int(os.environ.get("KILL_AT", 0)):
        if "KILL_AFTER" not in os.environ:
            os.kill(os.getpid(), signal.SIGKILL)
        reached.set()

def kill_later():
    reached.wait()
    time.sleep(float(os.environ["KILL_AFTER"]))
    os.kill(os.getpid(), signal.SIGKILL)

BATCH = int(os.environ["BATCH"])
DISPOSITION = os.environ["DISPOSITION"]

@dlt.resource(write_disposition=DISPOSITION, primary_key="id")
def orders(changed=dlt.sources.incremental("changed", initial_value=0)):
    for number in range(BATCH * 60):
        yield {"id": number % 80, "changed": number + 1, "items": [{"sku": number}, {"sku": number + 1}]}

@dlt.resource(write_disposition=DISPOSITION, primary_key="id")
def visits():
    for number in range(50):
        yield {"id": BATCH * 40 + number, "pages": [{"path": f"/{number}"}]}

@dlt.source
def shop():
    return orders, visits

if __name__ == "__main__":
    pipeline = dlt.pipeline("p", destination=dlt.destinations.duckdb(os.environ["DUCKDB_DATABASE"]), dataset_name="raw")
    threading.Thread(target=kill_later, daemon=True).start()
    sys.addaudithook(count)
    pipeline.run(shop())
    print(f"changes {changes}", flush=True)
`;

const QUERY = `select
  (select [count(*), sum(id), sum(changed)] from raw.orders),
  (select [count(*), sum(sku)] from raw.orders__items),
  (select [count(*), sum(id)] from raw.visits),
  (select count(*) from raw.visits__pages),
  (select count(*) - count(distinct load_id) from raw._dlt_loads)`;

const DLT: DltConfig = {
  script: 'pipeline.py',
  sourceArgs: {},
  resources: [],
  assetPer: 'pipeline',
  incremental: {},
};

interface Scene {
  readonly folder: StepFolder;
  readonly run: (batch: number, attempt?: number, more?: Record<string, string>) => Promise<StepOutcome>;
  readonly rows: () => Promise<unknown>;
}

async function scene(disposition: Disposition, from?: Scene): Promise<Scene> {
  const folder = await StepFolder.create({ 'pipeline.py': SCRIPT });
  if (from !== undefined) {
    for (const place of ['work', 'state'] as const)
      await cp(from.folder[place], folder[place], { recursive: true, force: true, verbatimSymlinks: true });
  }
  const database = join(folder.work, 'shop.duckdb');
  return {
    folder,
    run(batch, attempt = 1, more = {}) {
      const base = stepSpec('dlt', { dlt: DLT });
      const spec: StepSpec = { ...base, ref: { ...base.ref, runId: `run-${batch}`, attempt } };
      const env = { DUCKDB_DATABASE: database, BATCH: String(batch), DISPOSITION: disposition, ...more };
      return folder.run(dltRunner, spec, { env });
    },
    rows: () => duckdbRows(database, QUERY),
  };
}

/** What an undisturbed second and third run give, and in how many changes of files the second one is made. */
interface Undisturbed {
  readonly first: Scene;
  readonly changes: number;
  readonly second: unknown;
  readonly third: unknown;
}

const known = new Map<Disposition, Promise<Undisturbed>>();

function undisturbed(disposition: Disposition): Promise<Undisturbed> {
  const made = known.get(disposition) ?? observe(disposition);
  known.set(disposition, made);
  return made;
}

async function observe(disposition: Disposition): Promise<Undisturbed> {
  const first = await scene(disposition);
  ok(await first.run(1));
  const other = await scene(disposition, first);
  const outcome = ok(await other.run(2));
  const second = await other.rows();
  ok(await other.run(3));
  const changes = Number(/changes (\d+)/.exec(outcome.stdout.toString())?.[1]);
  return { first, changes, second, third: await other.rows() };
}

function ok(outcome: StepOutcome): StepOutcome {
  expect(outcome.end, outcome.stderr).toMatchObject({ status: 'ok' });
  return outcome;
}

/** @param moments numbers in [0, 1): where in a load, and how many milliseconds later, the process is killed */
export function describeDltKills(
  dispositions: readonly Disposition[],
  moments: readonly (readonly [at: number, afterMs: number])[],
): void {
  describe.each(dispositions)('E1: SIGKILL in a load that is to %s', (disposition) => {
    it.each(moments)(
      'at %f of it and %i ms: the retry, and the next run, come out as if nothing had been',
      async (at, afterMs) => {
        const whole = await undisturbed(disposition);
        const here = await scene(disposition, whole.first);
        const change = 1 + Math.floor(at * whole.changes);
        const killed = await here.run(2, 1, {
          KILL_AT: String(change),
          ...(afterMs === 0 ? {} : { KILL_AFTER: String(afterMs / 1000) }),
        });
        // A few milliseconds after the last changes it is through.
        if (killed.signal !== 'SIGKILL') expect([afterMs > 0, killed.end?.status]).toEqual([true, 'ok']);
        const retry = ok(await here.run(2, 2));
        expect(await here.rows(), `killed before change ${change}`).toEqual(whole.second);
        expect(retry.materialized['dlt_shop']).toMatchObject({ load_ids: [expect.any(String)] });
        ok(await here.run(3));
        expect(await here.rows()).toEqual(whole.third);
      },
    );
  });
}

import { join } from 'node:path';
import type { StepOperation } from '../../src/plan/step-operation.ts';
import { dltRunner } from '../../src/runners/dlt.ts';
import { duckdbRows } from './duckdb.ts';
import { dayPartition, StepFolder, type StepOutcome, stepSpec } from './run-step-command.ts';

/**
 * Ten orders with two items each, appended by a cursor, and three customers. The destination and its credentials are made
 * in code. What stands behind `pipeline.run` must not happen while the folder is only looked at. DIE_AT ends the process by
 * SIGKILL in the middle of a drop, or before a load is sent.
 */
const SCRIPT = `import os
import signal

import dlt

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

DIE_AT = os.environ.get("DIE_AT")
if DIE_AT:
    from dlt.destinations.job_client_impl import SqlJobClientBase
    from dlt.load.load import Load
    from elt_runner import dlt_drop

    if DIE_AT == "begun":
        dlt_drop.execute = die
    elif DIE_AT == "tables_gone":
        gone = SqlJobClientBase.drop_tables
        SqlJobClientBase.drop_tables = lambda *a, **k: (gone(*a, **k), die())
    elif DIE_AT == "dropped":
        dlt_drop.verify = die
    elif DIE_AT == "told":
        dlt_drop.Kept.cross_out = die
    elif DIE_AT == "load":
        Load.load_single_package = die

@dlt.source
def shop():
    @dlt.resource(write_disposition="append", primary_key="id")
    def orders(updated_at=dlt.sources.incremental("updated_at", initial_value="2024-01-01T00:00:00Z")):
        for day in range(1, 11):
            yield {"id": day, "updated_at": f"2024-01-{day:02}T00:00:00Z", "items": [{"n": 1}, {"n": 2}]}
        if os.environ.get("FAIL"):
            raise ValueError("the shop is closed")

    @dlt.resource(write_disposition="append")
    def customers(seen=dlt.sources.incremental("id", initial_value=0)):
        yield [{"id": number} for number in (1, 2, 3)]

    return orders, customers

def destination():
    if "SHOP_POSTGRES" in os.environ:
        return dlt.destinations.postgres(os.environ["SHOP_POSTGRES"])
    return dlt.destinations.duckdb(os.environ["SHOP_DUCKDB"])

if __name__ == "__main__":
    pipeline = dlt.pipeline(pipeline_name="shop", destination=destination(), dataset_name="raw")
    print(pipeline.run(shop()))
    with open("loads.txt", "w") as file:
        file.write("one more")
    if os.path.exists("inbox.csv"):
        os.remove("inbox.csv")
`;

export interface DltShop {
  readonly folder: StepFolder;
  readonly duckdb: string;
  /** @param day of a load of one partition @param resource of a load of one resource */
  load(env?: Readonly<Record<string, string>>, day?: string, resource?: string): Promise<StepOutcome>;
  operate(
    action: StepOperation['action'],
    resources?: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Promise<StepOutcome>;
}

export interface DltShopOptions {
  readonly script?: string;
  /** Instead of the default environment's. */
  readonly python?: string;
  /** Each resource is an asset, loaded by a step of its own. */
  readonly parallel?: boolean;
}

/** The shop's folder with its steps, each a process as the service starts it. */
export async function dltShop(
  variables: Readonly<Record<string, string>> = {},
  { script = SCRIPT, python, parallel = false }: DltShopOptions = {},
): Promise<DltShop> {
  const folder = await StepFolder.create({ 'pipeline.py': script });
  const duckdb = join(folder.root, 'shop.duckdb');
  const given = { SHOP_DUCKDB: duckdb, ...variables };
  const dlt = {
    script: 'pipeline.py',
    sourceArgs: {},
    resources: [],
    assetPer: parallel ? 'resource' : 'pipeline',
    incremental: {},
  } as const;
  const config = { dlt, ...(parallel ? { maxConcurrent: 2 } : {}) };
  const options = (env: Readonly<Record<string, string>>) => ({
    env: { ...given, ...env },
    ...(python === undefined ? {} : { python }),
  });
  let runs = 0;
  return {
    folder,
    duckdb,
    load(env = {}, day, resource) {
      const assets =
        resource === undefined
          ? {}
          : {
              assets: [
                {
                  key: `dlt_shop/${resource}`,
                  resource,
                  partitions: { kind: 'none' },
                  blockingChecks: [],
                  codeVersion: '1',
                },
              ] as const,
            };
      const partition = day === undefined ? {} : dayPartition(day);
      const spec = stepSpec('dlt', config, { runId: `load-${(runs += 1)}`, ...partition, ...assets });
      return folder.run(dltRunner, spec, options(env));
    },
    operate(action, resources, env = {}) {
      const operation = { kind: 'dlt_state', action, resources: resources ?? null, rows: true } as const;
      const spec = stepSpec('dlt', config, { runId: `${action}-${(runs += 1)}`, assets: [], operation });
      return folder.run(dltRunner, spec, options(env));
    },
  };
}

/** What an operation told, by the type of its events. */
export function told(outcome: StepOutcome, type: string): Record<string, unknown>[] {
  return outcome.events.filter((event) => event.type === type);
}

/** Rows of each table of the shop, by DuckDB. */
export async function rowsOf(shop: DltShop): Promise<Readonly<Record<string, number>>> {
  const tables = await duckdbRows(
    shop.duckdb,
    "select table_name from information_schema.tables where table_schema = 'raw' and not starts_with(table_name, '_dlt')",
  );
  if (tables.length === 0) return {};
  const counts = tables.map(([table]) => `select '${String(table)}', count(*) from raw.${String(table)}`);
  const rows = (await duckdbRows(shop.duckdb, counts.join(' union all '))) as [string, number][];
  return Object.fromEntries(rows);
}

export const WHOLE_SHOP = { customers: 3, orders: 10, orders__items: 20 };

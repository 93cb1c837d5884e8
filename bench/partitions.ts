import SqliteDatabase from 'better-sqlite3';
import { createLogger } from '../src/lib/log.ts';
import type {
  MultiPartitions,
  PartitionsDefinition,
  StaticPartitions,
  TimeWindowPartitions,
} from '../src/partitions/definition/partitions-definition.ts';
import { timeWindows } from '../src/partitions/definition/time-window.ts';
import { partitionCount } from '../src/partitions/partition-set.ts';
import { tickAt } from '../src/partitions/tick-index.ts';
import { partitionList } from '../src/server/views/partitions-view.ts';
import { kindOf } from '../src/store/kysely-store/partition-ordinals.ts';
import { openStore } from '../src/store/open-store.ts';
import type { Store } from '../src/store/store.ts';
import { fakeClock } from '../test/helpers/fake-clock.ts';
import {
  type SamplePipeline,
  sampleDefinitions,
  sampleSnapshot,
} from '../test/helpers/sample-definitions.ts';
import { type Figure, median } from './figure.ts';

const ASSETS = 1_000;
const FULL = 10;
const PARTITIONS = 100_000;
const NOW = Date.UTC(2026, 5, 1, 12, 30);
const HOUR = 3_600_000;
const TRIES = 20;
const OPENINGS = 5;

/** An hour later each asset, as in life no two definitions are the same. */
function hours(nth: number): TimeWindowPartitions {
  const first = new Date(Math.floor(NOW / HOUR) * HOUR - PARTITIONS * HOUR).toISOString();
  return {
    kind: 'time',
    start: `${first.slice(0, 10)}-${first.slice(11, 16)}`,
    end: null,
    cron: `${nth % 60} * * * *`,
    timezone: 'UTC',
    fmt: '%Y-%m-%d-%H:%M',
    endOffset: 0,
    exclusions: [],
  };
}

const LIST: StaticPartitions = {
  kind: 'static',
  keys: Array.from({ length: PARTITIONS }, (_, nth) => `shop_${String(nth).padStart(6, '0')}`),
};
const CELLS: MultiPartitions = {
  kind: 'multi',
  dimensions: {
    day: { ...hours(0), cron: '0 0 * * *', start: '2023-09-05', fmt: '%Y-%m-%d' },
    shop: { kind: 'static', keys: LIST.keys.slice(0, 100) },
  },
};

/**
 * 1,000 assets of 100,000 partitions each; ten are full, of random status, as are a list of 100,000 keys and a matrix of
 * 1,000 days by 100 keys. Measured is what the API does: the store's answer to JSON text.
 */
export async function benchPartitions(file: string): Promise<readonly Figure[]> {
  const partitions = new Map<string, PartitionsDefinition>([
    ...Array.from({ length: ASSETS }, (_, nth) => [`hours_${nth}`, hours(nth)] as const),
    ['list', LIST],
    ['cells', CELLS],
  ]);
  const full = [...Array.from({ length: FULL }, (_, nth) => `hours_${nth}`), 'list', 'cells'];
  const pipelines = Object.fromEntries(
    [...partitions].map(([key, definition]): [string, SamplePipeline] => [
      `p_${key}`,
      { tool: 'python', config: { partitions: definition }, assets: { [key]: {} } },
    ]),
  );
  const { definitions } = sampleDefinitions(pipelines);
  const definitionOf = (key: string) => definitions.assets.nodes.get(key)!.partitions!;
  const empty = await open(file);
  await empty.components.applyRevision(sampleSnapshot(pipelines), {
    trigger: { kind: 'startup' },
    startedAt: NOW,
    summary: { added: 0, changed: 0, removed: 0 },
  });
  await empty.close();
  for (const key of full) fill(file, key, partitions.get(key)!);

  const json = async (store: Store, key: string): Promise<string> => {
    const definition = definitionOf(key);
    return JSON.stringify(
      partitionList(definition, await store.assets.partitionStates(key, definition), NOW),
    );
  };
  const each = async (store: Store, keys: readonly string[]) => {
    const all: { ms: number; bytes: number }[] = [];
    for (const key of keys) {
      const begun = performance.now();
      const text = await json(store, key);
      all.push({ ms: performance.now() - begun, bytes: Buffer.byteLength(text) });
    }
    return all;
  };
  const timed = full.slice(0, FULL);
  const rows = await open(file);
  const fromRows = await each(rows, full);
  await rows.close();
  const store = await open(file);
  const fromSnapshot = await each(store, timed);
  const others: { ms: number }[][] = [];
  for (let nth = 0; nth < OPENINGS; nth++) {
    const opened = await open(file);
    others.push(await each(opened, ['list', 'cells']));
    await opened.close();
  }
  const afterWrite: number[] = [];
  for (let nth = 0; nth < TRIES; nth++) {
    touch(file, timed[nth % FULL]!, nth);
    afterWrite.push((await each(store, [timed[nth % FULL]!]))[0]!.ms);
  }
  const again = [...(await each(store, full)), ...(await each(store, full))];
  await store.close();
  const of = `${PARTITIONS} partitions of random status (${ASSETS} such assets defined, ${FULL} full)`;
  const ms = (all: readonly { readonly ms: number }[]) => median(all.map((one) => one.ms));
  return [
    {
      what: `${of}: store to JSON, store just opened (median)`,
      value: ms(fromSnapshot),
      unit: 'ms',
      aim: 20,
    },
    {
      what: 'the same, slowest of them',
      value: Math.max(...fromSnapshot.map((one) => one.ms)),
      unit: 'ms',
      aim: 20,
    },
    {
      what: 'the same, after one partition was written (median)',
      value: median(afterWrite),
      unit: 'ms',
      aim: 20,
    },
    { what: 'the same, nothing written since (median)', value: ms(again), unit: 'ms', aim: 20 },
    {
      what: 'the same, from the rows alone, once in the life of an asset',
      value: ms(fromRows),
      unit: 'ms',
      aim: null,
    },
    {
      what: 'its JSON, the largest',
      value: Math.max(...[...fromRows, ...again].map(({ bytes }) => bytes)) / 1000,
      unit: 'kB',
      aim: 100,
    },
    {
      what: 'a list of 100,000 keys, store just opened (median)',
      value: ms(others.map(([list]) => list!)),
      unit: 'ms',
      aim: 20,
    },
    {
      what: '1,000 days by 100 keys, store just opened (median)',
      value: ms(others.map(([, cells]) => cells!)),
      unit: 'ms',
      aim: 20,
    },
  ];
}

function open(file: string): Promise<Store> {
  return openStore({ file, clock: fakeClock(NOW), logger: createLogger('error') });
}

/** Last-write rows of every partition, as 100,000 runs would leave them, the three states and none at random. */
function fill(file: string, key: string, definition: PartitionsDefinition): void {
  const database = new SqliteDatabase(file);
  const { asset_id } = database.prepare('select asset_id from asset where key = ?').get(key) as {
    asset_id: number;
  };
  const text = database.prepare("insert or ignore into key_text (text) values ('')");
  text.run();
  const insert = database.prepare(
    `insert into asset_partition (asset_id, p_kind, p1, p2, key_text_id, label_id, orphan, status, mat_event_id, mat_run_no,
       mat_at, fail_event_id, fail_run_no, fail_at, active_count, active_run_no, active_at, changed_by)
     values (?, ?, ?, ?, 1, 1, 0, ?, ?, 1, ?, ?, 1, ?, ?, 1, ?, ?)`,
  );
  const ids = staticIds(database);
  let seed = asset_id;
  let event = 0;
  const write = (p1: number, p2: number): void => {
    // A multiplicative generator: the same statuses in each run of the benchmark.
    seed = (seed * 48_271) % 2_147_483_647;
    const state = seed % 4;
    if (state === 0) return;
    event += 1;
    const status = ['materialized', 'failed', 'in_progress'][state - 1];
    const failed = state === 2 ? event : null;
    insert.run(
      asset_id,
      kindOf(definition),
      p1,
      p2,
      status,
      event - 1,
      NOW,
      failed,
      NOW,
      state === 3 ? 1 : 0,
      NOW,
      event,
    );
  };
  database.transaction(() => {
    if (definition.kind === 'static') for (const one of definition.keys) write(ids(one), 0);
    else if (definition.kind === 'time') for (const second of seconds(definition)) write(second, 0);
    else {
      const { day, shop } = definition.dimensions as { day: TimeWindowPartitions; shop: StaticPartitions };
      for (const second of seconds(day)) for (const one of shop.keys) write(second, ids(one));
    }
  })();
  database.close();
}

function staticIds(database: SqliteDatabase.Database): (key: string) => number {
  const insert = database.prepare('insert or ignore into static_key (text) values (?)');
  const find = database.prepare('select static_key_id from static_key where text = ?').pluck();
  return (key) => {
    insert.run(key);
    return find.get(key) as number;
  };
}

function seconds(definition: TimeWindowPartitions): number[] {
  const { index } = timeWindows(definition);
  return Array.from({ length: partitionCount(definition, NOW) }, (_, nth) => tickAt(index, nth) / 1000);
}

/** One partition is written again by a newer event. */
function touch(file: string, key: string, nth: number): void {
  const database = new SqliteDatabase(file);
  database
    .prepare(
      `update asset_partition set mat_event_id = :event, changed_by = :event, active_count = 0, status = 'materialized'
       where asset_id = (select asset_id from asset where key = :key)
         and p1 = (select min(p1) + :nth * 3600 from asset_partition
                   where asset_id = (select asset_id from asset where key = :key))`,
    )
    .run({ key, nth, event: PARTITIONS + 1 + nth });
  database.close();
}

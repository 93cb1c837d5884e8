import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { createAutomation } from '../src/daemons/automation.ts';
import type { Definitions } from '../src/definitions/definitions.ts';
import { neverCrash } from '../src/lib/crash-points.ts';
import { uuidv7 } from '../src/lib/ids.ts';
import { createLogger } from '../src/lib/log.ts';
import type { TimeWindowPartitions } from '../src/partitions/definition/partitions-definition.ts';
import { timeWindows } from '../src/partitions/definition/time-window.ts';
import { lastKey, partitionCount } from '../src/partitions/partition-set.ts';
import { tickAt } from '../src/partitions/tick-index.ts';
import { openStore } from '../src/store/open-store.ts';
import type { Store } from '../src/store/store.ts';
import { type FakeClock, fakeClock } from '../test/helpers/fake-clock.ts';
import {
  type SamplePipeline,
  sampleDefinitions,
  sampleSnapshot,
} from '../test/helpers/sample-definitions.ts';
import { launch, succeed } from '../test/store/conformance/harness.ts';
import { type Figure, median } from './figure.ts';

const ASSETS = 1_000;
const LAYERS = 10;
const FULL = 10;
const TRIES = 15;
const NOW = Date.parse('2026-06-01T12:00:30Z');
const CONDITIONS = [
  'eager()',
  'eager().without(in_latest_time_window()) & all_deps_blocking_checks_passed()',
  'on_cron("@hourly", "Europe/Berlin")',
  'missing_or_changed()',
];
const HOURLY: TimeWindowPartitions = {
  kind: 'time',
  start: '2015-01-04-00:00',
  end: null,
  cron: '0 * * * *',
  timezone: 'UTC',
  fmt: '%Y-%m-%d-%H:%M',
  endOffset: 0,
  exclusions: [],
};

/**
 * The whole look of the service: what the store says of 1,000 assets of 100,000 partitions (the ten of the first layer
 * that are read most are full), their conditions, and what is stored of it.
 */
export async function benchAutomationStore(): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'elt-bench-'));
  try {
    return await measured(join(folder, 'elt.db'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measured(file: string): Promise<readonly Figure[]> {
  const pipelines = shop();
  const { definitions } = sampleDefinitions(pipelines);
  const clock = fakeClock(NOW);
  let store = await open(file, clock);
  await store.components.applyRevision(sampleSnapshot(pipelines), {
    trigger: { kind: 'startup' },
    startedAt: NOW,
    summary: { added: 0, changed: 0, removed: 0 },
  });
  await store.close();
  for (let nth = 0; nth < FULL; nth++) fill(file, `a0_${nth}`);
  store = await open(file, clock);
  let automation = automationOf(store, clock, definitions);
  const look = async (): Promise<number> => {
    clock.advance(1_000);
    const begun = performance.now();
    await automation.look();
    return performance.now() - begun;
  };
  const first = await look();
  while (!automation.isSettled()) await look();
  const quiet: number[] = [];
  for (let nth = 0; nth < TRIES; nth++) quiet.push(await look());
  const updated: number[] = [];
  for (let nth = 0; nth < TRIES; nth++) {
    const partitions = { kind: 'keys', keys: [lastKey(HOURLY, clock.now())!] } as const;
    const [runId] = await launch({ store, clock } as never, pipelines, { assets: [`a0_${nth}`], partitions });
    await succeed(store, runId!, `p_a0_${nth}`);
    updated.push(await look());
  }
  await store.close();
  store = await open(file, clock);
  automation = automationOf(store, clock, definitions);
  const restarted = await look();
  await store.close();
  const of = `${ASSETS} assets of ${partitionCount(HOURLY, NOW)} partitions, ${FULL} of them full, from the store`;
  return [
    {
      what: `a whole look, ${of}, nothing changed (median of ${TRIES})`,
      value: median(quiet),
      unit: 'ms',
      aim: 50,
    },
    { what: 'the same, slowest', value: Math.max(...quiet), unit: 'ms', aim: 50 },
    {
      what: 'the same, one root written: evaluated, launched and recorded (median)',
      value: median(updated),
      unit: 'ms',
      aim: null,
    },
    { what: 'the very first look', value: first, unit: 'ms', aim: null },
    { what: 'the first look after a restart', value: restarted, unit: 'ms', aim: null },
  ];
}

function open(file: string, clock: FakeClock): Promise<Store> {
  return openStore({ file, clock, logger: createLogger('error') });
}

function automationOf(store: Store, clock: FakeClock, definitions: Definitions) {
  return createAutomation({
    store,
    clock,
    logger: createLogger('error'),
    components: { definitions: () => definitions },
    engine: { wake: () => undefined },
    backfills: { advance: () => Promise.resolve({ submitted: 0, ended: 0 }) },
    newId: () => uuidv7(clock.now()),
    crashPoint: neverCrash,
  });
}

/** Ten layers of a hundred assets, each reading two of the layer above. */
function shop(): Record<string, SamplePipeline> {
  const width = ASSETS / LAYERS;
  const pipelines: Record<string, SamplePipeline> = {};
  for (let layer = 0; layer < LAYERS; layer++) {
    for (let index = 0; index < width; index++) {
      const key = `a${layer}_${index}`;
      const condition = CONDITIONS[index % CONDITIONS.length]!;
      pipelines[`p_${key}`] = {
        config: { partitions: { ...HOURLY }, ...(layer === 0 ? {} : { automation: { condition } }) },
        assets: {
          [key]: {
            deps: layer === 0 ? [] : [index, (index + 1) % width].map((one) => `a${layer - 1}_${one}`),
          },
        },
      };
    }
  }
  return pipelines;
}

/** Last-write rows of every partition but the newest, each of a run of its own. */
function fill(file: string, key: string): void {
  const database = new SqliteDatabase(file);
  const { asset_id } = database.prepare('select asset_id from asset where key = ?').get(key) as {
    asset_id: number;
  };
  database.prepare("insert or ignore into key_text (text) values ('')").run();
  const insert = database.prepare(
    `insert into asset_partition (asset_id, p_kind, p1, p2, key_text_id, label_id, orphan, status, mat_event_id, mat_run_no,
       mat_at, fail_event_id, fail_run_no, fail_at, active_count, active_run_no, active_at, changed_by)
     values (?, 1, ?, 0, 1, 1, 0, 'materialized', 1, 1, ?, null, null, null, 0, null, null, 1)`,
  );
  const { index } = timeWindows(HOURLY);
  database.transaction(() => {
    for (let nth = 0; nth < partitionCount(HOURLY, NOW) - 1; nth++) {
      insert.run(asset_id, tickAt(index, nth) / 1000, NOW);
    }
  })();
  database.close();
}

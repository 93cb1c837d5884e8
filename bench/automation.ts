import type { AssetView, AssetWrite, AutomationView } from '../src/automation/asset-view.ts';
import type { AutomationAsset, AutomationGraph } from '../src/automation/automation-graph.ts';
import type { AutomationCursor } from '../src/automation/cursor.ts';
import { evaluateAutomation } from '../src/automation/evaluate.ts';
import { parseAutomationCondition } from '../src/definitions/automation-condition/parse.ts';
import { partitionCount } from '../src/partitions/definition/key-order.ts';
import type { TimeWindowPartitions } from '../src/partitions/definition/partitions-definition.ts';
import { overlapping } from '../src/partitions/mapping/default-mapping.ts';
import { emptySubset, rangeSubset } from '../src/partitions/subset/partition-subset.ts';
import { benchAutomationStore } from './automation-store.ts';
import { type Figure, median } from './figure.ts';

const ASSETS = 1000;
const LAYERS = 10;
const TRIES = 15;
const NOW = Date.parse('2026-06-01T12:00:30Z');
const CONDITIONS = [
  'eager()',
  'eager().without(in_latest_time_window()) & all_deps_blocking_checks_passed()',
  'on_cron("@hourly", "Europe/Berlin")',
  'missing_or_changed()',
];

/** Ten layers of a hundred assets with 100,000 hourly partitions each, each reading two of the layer above. */
export async function benchAutomation(): Promise<readonly Figure[]> {
  const world = createWorld();
  const { graph } = world;
  let now = NOW;
  let cursors: ReadonlyMap<string, AutomationCursor> = new Map();
  const once = (all = false): { seconds: number; evaluated: number; requested: number } => {
    now += 1000;
    const view = world.view(now);
    const begun = performance.now();
    const evaluation = evaluateAutomation({ graph, view, cursors, all });
    const seconds = (performance.now() - begun) / 1000;
    cursors = evaluation.cursors;
    const { results } = evaluation;
    return {
      seconds,
      evaluated: results.filter((one) => one.evaluated).length,
      requested: results.filter((one) => one.requested.bounds.length > 0).length,
    };
  };
  const first = once();
  once();
  once();
  const quiet = tries(() => once());
  if (quiet.evaluated !== 0)
    throw new Error(`${quiet.evaluated} assets were evaluated although nothing changed`);
  const everything = tries(() => once(true));
  const updated = tries(() => {
    world.write('a0_0', now);
    return once();
  });
  if (updated.requested === 0) throw new Error('an update requested nothing');
  const of = `${ASSETS} assets of ${world.partitions} partitions`;
  return [
    { what: `automation, ${of}, nothing changed (median of ${TRIES})`, value: quiet.ms, unit: 'ms', aim: 50 },
    { what: 'the same, every condition evaluated nevertheless', value: everything.ms, unit: 'ms', aim: null },
    {
      what: `the same, one root written: ${updated.evaluated} evaluated, ${updated.requested} requested`,
      value: updated.ms,
      unit: 'ms',
      aim: null,
    },
    { what: 'the very first evaluation', value: first.seconds * 1000, unit: 'ms', aim: null },
    ...(await benchAutomationStore()),
  ];
}

function tries(run: () => { seconds: number; evaluated: number; requested: number }): {
  ms: number;
  evaluated: number;
  requested: number;
} {
  const all = Array.from({ length: TRIES }, run);
  const { evaluated, requested } = all.at(-1)!;
  return { ms: median(all.map(({ seconds }) => seconds)) * 1000, evaluated, requested };
}

interface World {
  readonly graph: AutomationGraph;
  readonly partitions: number;
  write(asset: string, at: number): void;
  view(now: number): AutomationView;
}

function createWorld(): World {
  const assets = new Map<string, AutomationAsset>();
  const order: string[] = [];
  const perLayer = ASSETS / LAYERS;
  let partitions = 0;
  for (let layer = 0; layer < LAYERS; layer++) {
    for (let index = 0; index < perLayer; index++) {
      // As in life, each asset has a definition object of its own.
      const definition: TimeWindowPartitions = {
        kind: 'time',
        start: '2015-01-04-00:00',
        end: null,
        cron: '0 * * * *',
        timezone: 'UTC',
        fmt: '%Y-%m-%d-%H:%M',
        endOffset: 0,
        exclusions: [],
      };
      partitions = partitionCount(definition, NOW);
      const key = `a${layer}_${index}`;
      const parents = layer === 0 ? [] : [index, (index + 1) % perLayer].map((one) => `a${layer - 1}_${one}`);
      const children = [index, (index + perLayer - 1) % perLayer].map((one) => `a${layer + 1}_${one}`);
      const parsed = parseAutomationCondition(CONDITIONS[index % CONDITIONS.length] as string);
      if (!parsed.ok) throw new Error(parsed.problem.message);
      assets.set(key, {
        key,
        partitions: definition,
        deps: parents.map((parent) => ({ key: parent, mapping: overlapping })),
        downstream: layer === LAYERS - 1 ? [] : children,
        checks: [{ name: 'rows', blocking: true, condition: null }],
        codeVersion: '1',
        condition: layer === 0 ? null : parsed.condition,
      });
      order.push(key);
    }
  }
  const graph: AutomationGraph = { assets, order, select: () => new Set() };
  const writes = new Map<string, AssetWrite>();
  let eventId = 0;
  const everything = rangeSubset(0, partitions);
  const newest = rangeSubset(partitions - 1, partitions);
  return {
    graph,
    partitions,
    write(asset, at) {
      eventId += 1;
      const write = {
        partitions: newest,
        eventId,
        at,
        runId: `r${eventId}`,
        codeVersion: '1',
        dataChanged: true,
      };
      writes.set(asset, write);
    },
    view: (now) => ({
      now,
      eventId,
      changedAt: (asset) => writes.get(asset)?.eventId ?? 0,
      asset: (asset): AssetView => ({
        materialized: everything,
        inProgress: emptySubset,
        executionFailed: emptySubset,
        backfillInProgress: emptySubset,
        writesSince(after) {
          const write = writes.get(asset);
          return write === undefined || write.eventId <= after ? [] : [write];
        },
      }),
      check: () => ({
        partitioned: true,
        passed: everything,
        failed: emptySubset,
        inProgress: emptySubset,
        executionFailed: emptySubset,
        resultsSince: () => [],
      }),
      runTargets: () => false,
    }),
  };
}

import type { AutomationView } from '../automation/asset-view.ts';
import { type AutomationGraph, automationGraphOf } from '../automation/automation-graph.ts';
import { type AutomationCursor, sameMemory, subsetUnder } from '../automation/cursor.ts';
import { type EntityEvaluation, evaluateAutomation, explainNow } from '../automation/evaluate.ts';
import { hasConditions, nextDueAt, watchedAssets } from '../automation/watched-assets.ts';
import type { ComponentService } from '../component/component.ts';
import type { AssetKey, Definitions } from '../definitions/definitions.ts';
import type { AutomationEngine, AutomationExplanation } from '../engine/automation-engine.ts';
import type { BackfillEngine } from '../engine/backfill-engine.ts';
import type { RunEngine } from '../engine/run-engine.ts';
import type { Clock } from '../lib/clock.ts';
import type { CrashHook } from '../lib/crash-points.ts';
import { OperationalError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { absence, keyToOrdinal, ordinalExists } from '../partitions/partition-set.ts';
import type { PartitionSubset } from '../partitions/subset/partition-subset.ts';
import {
  countOf,
  emptySubset,
  intersectionOf,
  isEmpty,
  minus,
  rangeSubset,
  unionOf,
} from '../partitions/subset/partition-subset.ts';
import { spansOf } from '../partitions/subset/subset-keys.ts';
import { countItems } from '../plan/backfill-items.ts';
import type { BackfillGroup } from '../plan/backfill-plan.ts';
import { automationGroups, planAutomation } from '../plan/plan-automation.ts';
import { splitAutomation } from '../plan/split-automation.ts';
import { stepSpecs } from '../plan/step-spec-of.ts';
import type { NewEvaluation } from '../store/automation-store.ts';
import type { NewBackfill } from '../store/backfill-store.ts';
import type { Store } from '../store/store.ts';
import { createAutomationCursors } from './automation-cursors.ts';

/** Places in a look at which a test lets the service die. */
export const AUTOMATION_CRASH_POINTS = [
  /** It is evaluated and planned, nothing is stored. */
  'automation.evaluated',
  /** Cursors, evaluations and launch are stored; nobody was told. */
  'automation.recorded',
  /** The engine knows of a run. */
  'automation.run_woken',
] as const;
export type AutomationCrashPoint = (typeof AUTOMATION_CRASH_POINTS)[number];

export interface AutomationDeps {
  readonly store: Store;
  readonly components: Pick<ComponentService, 'definitions'>;
  readonly engine: Pick<RunEngine, 'wake'>;
  readonly backfills: Pick<BackfillEngine, 'advance'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly newId: () => string;
  readonly crashPoint: CrashHook<AutomationCrashPoint>;
}

export interface AutomationCounts {
  /** Conditions that were evaluated; of the others nothing that they look at changed. */
  readonly evaluated: number;
  /** Partitions asked for, over all assets. */
  readonly requested: number;
  readonly launched: number;
}

export interface Automation extends AutomationEngine {
  /** Looks at every condition once; what is asked for is launched, once. */
  look(): Promise<AutomationCounts>;
  /** False: another look at the same world could come to something else (what was new is not new any more). */
  isSettled(): boolean;
  /** When time alone changes an answer next; null: never, or nothing has a condition. */
  nextDueAt(): number | null;
  hasConditions(): boolean;
}

const NOTHING: AutomationCounts = { evaluated: 0, requested: 0, launched: 0 };
const MOST_SPANS = 20;

/**
 * Law 6 for conditions: what an evaluation remembers, and the launch of what it asks for, are one transaction. A process
 * that dies before it evaluates again from the same cursors; one that dies after it finds the runs.
 */
export function createAutomation(deps: AutomationDeps): Automation {
  const { store, components, clock } = deps;
  const memory = createAutomationCursors(store.automation, deps.logger);
  let seen: { readonly definitions: Definitions; readonly graph: AutomationGraph } | null = null;
  let dueAt: number | null = null;
  let settled = true;

  function graphOf(definitions: Definitions): AutomationGraph {
    if (seen?.definitions !== definitions) {
      seen = { definitions, graph: automationGraphOf(definitions.assets) };
      dueAt = null;
    }
    return seen.graph;
  }

  return {
    look,
    explain,
    isSettled: () => settled,
    nextDueAt: () => dueAt,
    hasConditions: () => hasConditions(graphOf(components.definitions())),
  };

  async function look(): Promise<AutomationCounts> {
    const definitions = components.definitions();
    settled = true;
    // Before the first definitions nothing is known to be gone.
    if (definitions.sources.length === 0) return NOTHING;
    const graph = graphOf(definitions);
    const cursors = await memory.current(graph);
    const subjects = watchedAssets(graph, cursors);
    if (subjects.length === 0 && cursors.size === 0) return NOTHING;
    const view = await store.automation.view(subjects);
    const evaluation = evaluateAutomation({ graph, view, cursors });
    if (dueAt === null || dueAt <= view.now) dueAt = nextDueAt(graph, view.now);
    settled = evaluation.results.every(({ cursor }) => cursor.settled);
    const changes = await memory.changes(graph, evaluation.cursors);
    const asked = askedFor(evaluation.results, cursors, view);
    if (changes.cursors.size === 0 && changes.forgotten.length === 0 && asked.size === 0) return NOTHING;

    const evaluationId = deps.newId();
    const cause = { kind: 'automation', evaluationId } as const;
    const split = splitAutomation(automationGroups(definitions, asked));
    const plan = planAutomation(definitions, split.now, cause, { now: view.now, newId: deps.newId });
    const backfill = split.backfill.length === 0 ? null : backfillOf(split.backfill, cause, deps.newId());
    for (const refusal of plan.refused) deps.logger.error({ ...refusal }, 'automation: could not be planned');
    deps.crashPoint('automation.evaluated');
    const launch = await store.automation.record({
      evaluationId,
      at: view.now,
      ...changes,
      evaluations: worthStoring(definitions, evaluation.results, cursors, asked),
      plans: plan.runs,
      backfill,
      specs: (run) => stepSpecs(definitions, run),
    });
    deps.crashPoint('automation.recorded');
    memory.stored(evaluation.cursors);
    for (const runId of launch?.runIds ?? []) {
      deps.engine.wake(runId);
      deps.crashPoint('automation.run_woken');
    }
    if (backfill !== null) await deps.backfills.advance();
    return {
      evaluated: evaluation.results.filter((one) => one.evaluated).length,
      requested: [...asked.values()].reduce((sum, subset) => sum + countOf(subset), 0),
      launched: launch?.runIds.length ?? 0,
    };
  }

  async function explain(
    assetKey: AssetKey,
    partition: string | null,
  ): Promise<AutomationExplanation | null> {
    const definitions = components.definitions();
    const graph = graphOf(definitions);
    const asset = graph.assets.get(assetKey);
    if (asset === undefined) throw new OperationalError('ASSET_NOT_FOUND', `there is no asset "${assetKey}"`);
    let partitions: PartitionSubset | null = null;
    if (partition !== null) {
      const definition = asset.partitions;
      const ordinal = definition === null ? null : keyToOrdinal(definition, partition);
      if (definition === null) {
        throw new OperationalError('PARTITION_UNKNOWN', `${assetKey} is not partitioned`);
      }
      if (ordinal === null || !ordinalExists(definition, ordinal, clock.now())) {
        throw new OperationalError('PARTITION_UNKNOWN', absence(definition, partition, clock.now()));
      }
      partitions = rangeSubset(ordinal, ordinal + 1);
    }
    if (asset.condition === null) return null;
    const cursors = await memory.current(graph);
    const view = await store.automation.view(watchedAssets(graph, cursors));
    const tree = explainNow({ graph, view, cursors, entity: assetKey, partitions });
    if (tree === null) return null;
    return { at: view.now, assetKey, partition, requested: tree.matched, tree };
  }
}

/**
 * What is to be launched. A condition that is a mere state (`missing()`) asks again at every look: what the evaluation
 * before asked for, and is still under way, is not launched twice.
 */
function askedFor(
  results: readonly EntityEvaluation[],
  cursors: ReadonlyMap<string, AutomationCursor>,
  view: AutomationView,
): ReadonlyMap<AssetKey, PartitionSubset> {
  const asked = new Map<AssetKey, PartitionSubset>();
  for (const { entity, asset, check, partitions, requested } of results) {
    if (check !== null || isEmpty(requested)) continue;
    const cursor = cursors.get(entity);
    const before = cursor === undefined ? emptySubset : subsetUnder(cursor.requested, partitions);
    const { inProgress, backfillInProgress } = view.asset(asset);
    const underWay = intersectionOf(before, unionOf(inProgress, backfillInProgress));
    const subset = minus(requested, underWay);
    if (!isEmpty(subset)) asked.set(asset, subset);
  }
  return asked;
}

/** The backfill that runs what is too much to be launched at once. */
function backfillOf(
  groups: readonly BackfillGroup[],
  cause: NewBackfill['request']['cause'],
  backfillId: string,
): NewBackfill {
  const parts = groups.flatMap((group) => group.parts);
  const count = parts.reduce((sum, { subset }) => sum + countOf(subset), 0);
  return {
    backfillId,
    parentId: null,
    groups,
    runs: countItems(groups),
    request: {
      assets: [...new Set(parts.flatMap(({ assets }) => assets))],
      partitions: { kind: 'requested', count },
      fullRefresh: false,
      config: {},
      tags: {},
      cause,
    },
  };
}

/** What asks for something, or remembers something else than before. */
function worthStoring(
  definitions: Definitions,
  results: readonly EntityEvaluation[],
  cursors: ReadonlyMap<string, AutomationCursor>,
  asked: ReadonlyMap<AssetKey, PartitionSubset>,
): NewEvaluation[] {
  return results.flatMap((result) => {
    const { entity, asset, check, partitions, cursor } = result;
    const subset = check === null ? (asked.get(asset) ?? emptySubset) : emptySubset;
    const before = cursors.get(entity);
    const explanation = result.explain();
    if (explanation === null) return [];
    if (isEmpty(subset) && before !== undefined && sameMemory(before, cursor)) return [];
    return [
      {
        assetKey: asset,
        checkName: check,
        requested: countOf(subset),
        spans: partitions === null ? [] : firstSpans(partitions, subset),
        condition: definitions.assets.nodes.get(asset)?.automation?.condition ?? '',
        explanation,
      },
    ];
  });
}

function firstSpans(
  partitions: NonNullable<EntityEvaluation['partitions']>,
  subset: PartitionSubset,
): NewEvaluation['spans'] {
  const first: PartitionSubset = { bounds: subset.bounds.slice(0, 2 * MOST_SPANS) };
  return [...spansOf(partitions, first)].slice(0, MOST_SPANS);
}

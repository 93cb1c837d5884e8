import type { AssetKey, AssetNode, Definitions } from '../definitions/definitions.ts';
import type {
  PartitionsDefinition,
  TimeWindowPartitions,
} from '../partitions/definition/partitions-definition.ts';
import type { TimeWindow } from '../partitions/instant.ts';
import { keysInRange, splitKey, windowOfKey } from '../partitions/partition-set.ts';
import type { PipelineState } from '../state/snapshot.ts';
import { poolsOf } from './pools.ts';
import type { PartitionSelection, PlannedAsset, RunRequest, StepPlan } from './run-plan.ts';
import { isSplit } from './split-resources.ts';
import { groupByLabel } from './step-graph.ts';

/** Data that steps write lies in files of this machine (`ELT_HOME/data`): every step is bound to its volume. */
export const VOLUME = 'local';
const MOST_KEYS_SPELLED_OUT = 1000;

/** The steps of one run: one per pipeline, more where the graph goes out of a pipeline and comes back. */
export function planSteps(
  definitions: Definitions,
  keys: readonly AssetKey[],
  selection: PartitionSelection,
  request: RunRequest,
  now: number,
): StepPlan[] {
  const nodeOf = (key: AssetKey): AssetNode => definitions.assets.nodes.get(key)!;
  const stateOf = ({ component, pipeline }: AssetNode) =>
    definitions.pipelines.get(`${component}/${pipeline}`)!;
  /** Of an asset that is loaded by itself its resource, else ''. */
  const partOf = (node: AssetNode) => (isSplit(stateOf(node).config) ? (node.resource ?? '') : '');
  const labels = (key: AssetKey) => `${labelOf(nodeOf(key))}/${partOf(nodeOf(key))}`;
  const groups = groupByLabel(definitions.assets, keys, labels);
  const firsts = groups.map((group) => nodeOf(group.keys[0]!));
  const names = stepKeys(firsts.map((node) => ({ ...node, part: partOf(node) })));
  return groups.map((group, index) => {
    const nodes = group.keys.map(nodeOf);
    const first = nodes[0]!;
    const pipeline = stateOf(first);
    const partitions = first.partitions;
    return {
      stepKey: names[index]!,
      component: first.component,
      pipeline: first.pipeline,
      tool: pipeline.config.tool,
      code: pipeline.code,
      assets: nodes.map((node) => plannedAsset(node, selection)),
      partitions: selection,
      ...partitionFields(partitions, selection, now),
      python: pipeline.config.environment.python ?? '',
      lockDigest:
        pipeline.config.environment.requirements === undefined ? '' : `tree:${pipeline.code.treeId}`,
      volume: VOLUME,
      pools: poolsOf(first.component, pipeline, nodes),
      retry: pipeline.config.retryPolicy ?? null,
      timeoutSeconds: pipeline.config.timeoutSeconds ?? null,
      needs: group.needs.map((need) => names[need]!),
      fullRefresh: request.fullRefresh,
    };
  });
}

/** What a step plan says of its partitions beside the selection itself. */
export function partitionFields(
  partitions: PartitionsDefinition | undefined,
  selection: PartitionSelection,
  now: number,
): Pick<StepPlan, 'partitionKeys' | 'partitionDimensions' | 'window' | 'timezone'> {
  return {
    partitionKeys: spelledOut(partitions, selection, now),
    partitionDimensions: dimensionsOf(partitions, selection),
    ...timeOf(partitions, selection),
  };
}

/** The pipeline of a step's configuration, for its spec. */
export function pipelineOf(
  definitions: Definitions,
  step: Pick<StepPlan, 'component' | 'pipeline'>,
): PipelineState {
  return definitions.pipelines.get(`${step.component}/${step.pipeline}`)!;
}

function labelOf(node: AssetNode): string {
  return `${node.component}/${node.pipeline}/${node.assetSet ?? ''}`;
}

/**
 * `dlt_orders`; a second step of one pipeline in a run is `dlt_orders_2`, that of a resource alone `dlt_github.issues`; of
 * another component `main.dlt_orders`.
 */
function stepKeys(
  nodes: readonly (Pick<AssetNode, 'pipeline' | 'component'> & { readonly part: string })[],
): string[] {
  const components = new Map<string, Set<string>>();
  for (const { pipeline, component } of nodes) {
    components.set(pipeline, (components.get(pipeline) ?? new Set()).add(component));
  }
  const used = new Map<string, number>();
  return nodes.map(({ pipeline, component, part }) => {
    const whole = components.get(pipeline)!.size > 1 ? `${component}.${pipeline}` : pipeline;
    const base = part === '' ? whole : `${whole}.${part}`;
    const count = (used.get(base) ?? 0) + 1;
    used.set(base, count);
    return count === 1 ? base : `${base}_${count}`;
  });
}

function plannedAsset(node: AssetNode, selection: PartitionSelection): PlannedAsset {
  return {
    key: node.key,
    ...(node.resource === undefined ? {} : { resource: node.resource }),
    ...(node.partitions === undefined
      ? { partitions: { kind: 'none' } }
      : { partitions: selection, partitionsDefinition: node.partitions }),
    blockingChecks: node.checks.filter((check) => check.blocking).map((check) => check.name),
    ...declaredChecks(node),
    codeVersion: node.codeVersion,
  };
}

function declaredChecks(node: AssetNode): Pick<PlannedAsset, 'declaredChecks'> {
  const declared = node.checks.flatMap((check) => {
    if (check.kind === 'tool') return [];
    const { kind: _, ...config } = check;
    return [config];
  });
  return declared.length === 0 ? {} : { declaredChecks: declared };
}

function spelledOut(
  partitions: PartitionsDefinition | undefined,
  selection: PartitionSelection,
  now: number,
): readonly string[] {
  switch (selection.kind) {
    case 'none':
      return [];
    case 'key':
      return [selection.key];
    case 'keys':
      return selection.keys;
    case 'range': {
      const keys = keysInRange(partitions!, selection.start, selection.end, now);
      return keys.length <= MOST_KEYS_SPELLED_OUT ? keys : [selection.start, selection.end];
    }
  }
}

function dimensionsOf(
  partitions: PartitionsDefinition | undefined,
  selection: PartitionSelection,
): Readonly<Record<string, string>> {
  if (partitions?.kind !== 'multi' || selection.kind !== 'key') return {};
  return splitKey(partitions, selection.key) ?? {};
}

/** The whole span of time-partitioned work, [start, end). */
function timeOf(
  partitions: PartitionsDefinition | undefined,
  selection: PartitionSelection,
): { window: TimeWindow | null; timezone: string } {
  const time = timeDimension(partitions);
  if (time === null || selection.kind === 'none')
    return { window: null, timezone: time?.definition.timezone ?? 'UTC' };
  const ends =
    selection.kind === 'key'
      ? [selection.key]
      : selection.kind === 'range'
        ? [selection.start, selection.end]
        : selection.keys;
  let window: TimeWindow | null = null;
  for (const key of ends) {
    const part = partitions!.kind === 'multi' ? splitKey(partitions as never, key)?.[time.name] : key;
    const own = part === undefined ? null : windowOfKey(time.definition, part);
    if (own === null) continue;
    window =
      window === null
        ? own
        : { start: Math.min(window.start, own.start), end: Math.max(window.end, own.end) };
  }
  return { window, timezone: time.definition.timezone };
}

function timeDimension(
  partitions: PartitionsDefinition | undefined,
): { name: string; definition: TimeWindowPartitions } | null {
  if (partitions === undefined || partitions.kind === 'static') return null;
  if (partitions.kind === 'time') return { name: '', definition: partitions };
  for (const [name, definition] of Object.entries(partitions.dimensions)) {
    if (definition.kind === 'time') return { name, definition };
  }
  return null;
}

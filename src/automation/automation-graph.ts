import type { AutomationCondition } from '../definitions/automation-condition/condition.ts';
import { automationConditionOf } from '../definitions/automation-condition/of-config.ts';
import type { AssetGraph, AssetKey } from '../definitions/definitions.ts';
import { mappingOf } from '../definitions/dep-mapping.ts';
import { selectAssets } from '../definitions/selection.ts';
import type { PartitionsDefinition } from '../partitions/definition/partitions-definition.ts';
import type { PartitionMapping } from '../partitions/mapping/partition-mapping.ts';

/** What a condition is evaluated of: an asset (`orders`) or one of its checks (`orders:row_count`). */
export type EntityKey = string;

/** An asset as automation sees it. */
export interface AutomationAsset {
  readonly key: AssetKey;
  readonly partitions: PartitionsDefinition | null;
  readonly deps: readonly { readonly key: AssetKey; readonly mapping: PartitionMapping }[];
  readonly downstream: readonly AssetKey[];
  readonly checks: readonly AutomationCheck[];
  readonly codeVersion: string | null;
  /** Null: it is never requested by itself. */
  readonly condition: AutomationCondition | null;
}

export interface AutomationCheck {
  readonly name: string;
  readonly blocking: boolean;
  readonly condition: AutomationCondition | null;
}

/** Immutable: made once per definitions, so that what is worked out of it can be kept beside it. */
export interface AutomationGraph {
  readonly assets: ReadonlyMap<AssetKey, AutomationAsset>;
  /** Every asset after those that it depends on. */
  readonly order: readonly AssetKey[];
  /** The assets that a key or a selection names; none if it names none. */
  select(selection: string): ReadonlySet<AssetKey>;
}

/** The key of a check as an entity. */
export function checkEntity(asset: AssetKey, check: string): EntityKey {
  return `${asset}:${check}`;
}

/** The graph of published definitions. Assets of disabled pipelines are seen and never requested. */
export function automationGraphOf(graph: AssetGraph): AutomationGraph {
  const assets = new Map<AssetKey, AutomationAsset>();
  const partitionsOf = (key: AssetKey): PartitionsDefinition | null =>
    graph.nodes.get(key)?.partitions ?? null;
  for (const node of graph.nodes.values()) {
    const partitions = node.partitions ?? null;
    assets.set(node.key, {
      key: node.key,
      partitions,
      deps: node.deps.map(({ key, mapping }) => ({
        key,
        mapping: mappingOf(partitionsOf(key), partitions, mapping),
      })),
      downstream: graph.downstream.get(node.key) ?? [],
      checks: node.checks.map(({ name, blocking }) => ({ name, blocking, condition: null })),
      codeVersion: node.codeVersion,
      condition:
        node.enabled && node.kind === 'materializable' ? automationConditionOf(node.automation) : null,
    });
  }
  return {
    assets,
    order: graph.order,
    select(selection) {
      if (assets.has(selection)) return new Set([selection]);
      const selected = selectAssets(graph, selection);
      return new Set(selected.ok ? selected.keys : []);
    },
  };
}

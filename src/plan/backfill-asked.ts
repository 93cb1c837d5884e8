import type { AssetNode } from '../definitions/definitions.ts';
import type { ErrorCode } from '../lib/errors.ts';
import type { PartitionsDefinition } from '../partitions/definition/partitions-definition.ts';
import { absence, rangeOfKeys } from '../partitions/partition-set.ts';
import type { PartitionSubset } from '../partitions/subset/partition-subset.ts';
import { allPartitions, subsetOfKeys } from '../partitions/subset/subset-keys.ts';
import type { BackfillRequest } from './backfill-request.ts';

type Asked =
  | {
      readonly ok: true;
      /** By `definitionLabel`. */
      readonly byDefinition: ReadonlyMap<string, PartitionSubset>;
      readonly notes: readonly string[];
    }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string; readonly hint?: string };

/** The text by which assets of one definition are found together; '' without partitions. */
export function definitionLabel(definition: PartitionsDefinition | undefined): string {
  return definition === undefined ? '' : JSON.stringify(definition);
}

/**
 * The partitions that a request names, of each definition that a root asset has: a partitioned asset with no partitioned
 * asset of the selection right above it. Keys and ends of ranges have to be partitions of every root.
 */
export function askedPartitions(
  nodes: readonly AssetNode[],
  partitions: BackfillRequest['partitions'],
  now: number,
): Asked {
  const partitioned = new Map(
    nodes.filter((node) => node.partitions !== undefined).map((node) => [node.key, node]),
  );
  const roots = new Map<string, AssetNode>();
  for (const node of partitioned.values()) {
    if (node.deps.some((dep) => partitioned.has(dep.key))) continue;
    const label = definitionLabel(node.partitions);
    if (!roots.has(label)) roots.set(label, node);
  }
  if (roots.size === 0 && partitions.kind !== 'all') return nothingPartitioned(nodes);
  const byDefinition = new Map<string, PartitionSubset>();
  const notes: string[] = [];
  for (const [label, root] of roots) {
    const found = subsetAsked(root.partitions!, partitions, now);
    if (typeof found === 'string') return refused(root, found, roots.size > 1);
    byDefinition.set(label, found.subset);
    if (found.note !== undefined && !notes.includes(found.note)) notes.push(found.note);
  }
  return { ok: true, byDefinition, notes };
}

/** The subset, or why there is none. */
function subsetAsked(
  definition: PartitionsDefinition,
  partitions: BackfillRequest['partitions'],
  now: number,
): { readonly subset: PartitionSubset; readonly note?: string } | string {
  switch (partitions.kind) {
    case 'all':
      return { subset: allPartitions(definition, now) };
    case 'requested':
      return 'what automation asked for is not asked for again';
    case 'keys': {
      const { subset, unknown } = subsetOfKeys(definition, partitions.keys, now);
      return unknown.length > 0 ? absence(definition, unknown[0]!, now) : { subset };
    }
    case 'range': {
      const range = rangeOfKeys(definition, partitions.start, partitions.end, now);
      if (!range.ok) return range.message;
      return { subset: range.subset(), ...(range.note === undefined ? {} : { note: range.note }) };
    }
  }
}

function refused(root: AssetNode, why: string, isOneOfSeveral: boolean): Asked {
  return {
    ok: false,
    code: 'PARTITION_UNKNOWN',
    message: `${root.key}: ${why}`,
    ...(isOneOfSeveral
      ? {
          hint: 'the selected assets have different partitions: what is asked for has to exist in each; or back-fill them one by one',
        }
      : {}),
  };
}

function nothingPartitioned(nodes: readonly AssetNode[]): Asked {
  const [first] = nodes;
  const who =
    nodes.length === 1 ? `${first!.key} is not partitioned` : 'none of the selected assets is partitioned';
  return {
    ok: false,
    code: 'PARTITION_UNKNOWN',
    message: `${who}: there is no partition to name`,
    hint: `run it once: elt materialize ${first!.key}`,
  };
}

import type { PartitionsDefinition } from '../partitions/definition/partitions-definition.ts';
import type { Instant } from '../partitions/instant.ts';
import { sameDefinition } from '../partitions/mapping/key-mappings.ts';
import { unpartitioned } from '../partitions/mapping/map-partitions.ts';
import type { PartitionSubset } from '../partitions/subset/partition-subset.ts';
import { emptySubset, isEmpty, isEqual } from '../partitions/subset/partition-subset.ts';
import type { StaticIds } from '../partitions/subset/stored-subset.ts';
import { decodeSubset, encodeSubset } from '../partitions/subset/stored-subset.ts';
import type { AutomationGraph, EntityKey } from './automation-graph.ts';

/** A subset with the definition that its ordinals are of: a definition may change before it is read again. */
export interface DefinedSubset {
  readonly partitions: PartitionsDefinition | null;
  readonly subset: PartitionSubset;
}

/** What `since` and `newly_true` remember, and which code version `code_version_changed` saw. */
export interface NodeState extends DefinedSubset {
  readonly entity: EntityKey;
  readonly codeVersion?: string | null;
}

/** What one entity's evaluation hands to its next. */
export interface AutomationCursor {
  /** Time and newest event of the evaluation. */
  readonly at: Instant;
  readonly eventId: number;
  /** Of the condition, labels aside: another one makes the next evaluation an initial one. */
  readonly condition: string;
  /** Of everything in the definitions that the evaluation depends on. */
  readonly identity: string;
  readonly requested: DefinedSubset;
  readonly states: ReadonlyMap<string, NodeState>;
  /** While nothing that it looks at changes, the next evaluation comes to the same. */
  readonly settled: boolean;
}

/** The partitions that a remembered subset means under a definition. */
export function subsetUnder(
  { partitions, subset }: DefinedSubset,
  definition: PartitionsDefinition | null,
): PartitionSubset {
  if (partitions === definition || isEmpty(subset)) return subset;
  if (partitions === null || definition === null) return emptySubset;
  if (sameDefinition(partitions, definition)) return subset;
  const ids = commonIds(partitions, definition);
  return decodeSubset(definition, encodeSubset(partitions, subset, ids), ids);
}

/** Ids for the static keys of two definitions, equal for equal keys of the same dimension. */
function commonIds(...definitions: readonly PartitionsDefinition[]): StaticIds {
  const ids: Record<string, Map<string, number>> = {};
  const add = (name: string, keys: readonly string[]): void => {
    const known = (ids[name] ??= new Map());
    for (const key of keys) if (!known.has(key)) known.set(key, known.size);
  };
  for (const definition of definitions) {
    if (definition.kind === 'static') add('', definition.keys);
    if (definition.kind !== 'multi') continue;
    for (const [name, dimension] of Object.entries(definition.dimensions)) {
      if (dimension.kind === 'static') add(name, dimension.keys);
    }
  }
  return ids;
}

/** Whether two evaluations remember and requested the same. */
export function sameMemory(
  a: Pick<AutomationCursor, 'requested' | 'states'>,
  b: Pick<AutomationCursor, 'requested' | 'states'>,
): boolean {
  if (!isEqual(a.requested.subset, b.requested.subset) || a.states.size !== b.states.size) return false;
  for (const [id, state] of a.states) {
    const other = b.states.get(id);
    if (other === undefined || other.codeVersion !== state.codeVersion) return false;
    if (!isEqual(other.subset, state.subset)) return false;
  }
  return true;
}

/** A cursor as it is stored: JSON, partitions by window and dictionary id (`encodeSubset`). */
export interface StoredCursor {
  readonly at: Instant;
  readonly event_id: number;
  readonly condition: string;
  readonly identity: string;
  readonly settled: boolean;
  readonly requested: string;
  readonly states: readonly {
    readonly id: string;
    readonly entity: EntityKey;
    readonly partitions: string;
    readonly code_version?: string | null;
  }[];
}

/** The dictionary ids of an asset's static keys, by entity (a check has its asset's). */
export type IdsOf = (entity: EntityKey) => StaticIds;

/** What to store of a cursor. */
export function encodeCursor(entity: EntityKey, cursor: AutomationCursor, idsOf: IdsOf): StoredCursor {
  return {
    at: cursor.at,
    event_id: cursor.eventId,
    condition: cursor.condition,
    identity: cursor.identity,
    settled: cursor.settled,
    requested: encode(cursor.requested, idsOf(entity)),
    states: [...cursor.states].map(([id, state]) => ({
      id,
      entity: state.entity,
      partitions: encode(state, idsOf(state.entity)),
      ...(state.codeVersion === undefined ? {} : { code_version: state.codeVersion }),
    })),
  };
}

/**
 * A stored cursor under the present definitions. `partitionsOf` gives an entity's; what is remembered of an entity that is
 * gone is dropped.
 */
export function decodeCursor(
  entity: EntityKey,
  stored: StoredCursor,
  partitionsOf: (entity: EntityKey) => PartitionsDefinition | null | undefined,
  idsOf: IdsOf,
): AutomationCursor {
  const states = new Map<string, NodeState>();
  for (const { id, entity: of, partitions, code_version } of stored.states) {
    const definition = partitionsOf(of);
    if (definition === undefined) continue;
    states.set(id, {
      entity: of,
      ...decode(partitions, definition, idsOf(of)),
      ...(code_version === undefined ? {} : { codeVersion: code_version }),
    });
  }
  return {
    at: stored.at,
    eventId: stored.event_id,
    condition: stored.condition,
    identity: stored.identity,
    settled: stored.settled,
    requested: decode(stored.requested, partitionsOf(entity) ?? null, idsOf(entity)),
    states,
  };
}

/** `partitionsOf` for `decodeCursor`. A check has its asset's partitions or none: its stored text tells which. */
export function partitionsIn(
  graph: AutomationGraph,
): (entity: EntityKey) => PartitionsDefinition | null | undefined {
  return (entity) => {
    const asset = graph.assets.get(entity) ?? graph.assets.get(entity.slice(0, entity.lastIndexOf(':')));
    return asset?.partitions;
  };
}

const WHOLE = 'u:1';
const NOTHING = 'u:0';

function encode({ partitions, subset }: DefinedSubset, ids: StaticIds): string {
  if (partitions !== null) return encodeSubset(partitions, subset, ids);
  return isEmpty(subset) ? NOTHING : WHOLE;
}

function decode(text: string, definition: PartitionsDefinition | null, ids: StaticIds): DefinedSubset {
  if (text === WHOLE) return { partitions: null, subset: unpartitioned };
  if (text === NOTHING || definition === null) return { partitions: definition, subset: emptySubset };
  return { partitions: definition, subset: decodeSubset(definition, text, ids) };
}

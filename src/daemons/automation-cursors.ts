import type { AutomationGraph, EntityKey } from '../automation/automation-graph.ts';
import {
  type AutomationCursor,
  decodeCursor,
  encodeCursor,
  type IdsOf,
  partitionsIn,
  type StoredCursor,
} from '../automation/cursor.ts';
import type { Logger } from '../lib/log.ts';
import { dimensionsOf } from '../partitions/definition/multi.ts';
import type { PartitionsDefinition } from '../partitions/definition/partitions-definition.ts';
import type { StaticIds } from '../partitions/subset/stored-subset.ts';
import type { AutomationStore } from '../store/automation-store.ts';

/** Cursors between the store and an evaluation. */
export interface AutomationCursors {
  /** As the last recorded evaluation left them: kept, after a start read. */
  current(graph: AutomationGraph): Promise<ReadonlyMap<EntityKey, AutomationCursor>>;
  /** Those of `next` that the store has not yet, ready to be stored; and the entities that it is to forget. */
  changes(
    graph: AutomationGraph,
    next: ReadonlyMap<EntityKey, AutomationCursor>,
  ): Promise<{ readonly cursors: ReadonlyMap<EntityKey, string>; readonly forgotten: readonly EntityKey[] }>;
  /** `next` is stored. */
  stored(next: ReadonlyMap<EntityKey, AutomationCursor>): void;
}

export function createAutomationCursors(
  store: Pick<AutomationStore, 'cursors' | 'staticIds'>,
  logger: Logger,
): AutomationCursors {
  let known: ReadonlyMap<EntityKey, AutomationCursor> | null = null;
  const ids = new Map<string, number>();
  const complete = new WeakSet<AutomationGraph>();

  /** Ids of all static keys of a graph, under the dimension names of each definition. */
  async function idsIn(graph: AutomationGraph): Promise<IdsOf> {
    if (!complete.has(graph)) {
      const keys = new Set<string>();
      for (const { partitions } of graph.assets.values()) {
        for (const key of staticKeysOf(partitions)) if (!ids.has(key)) keys.add(key);
      }
      if (keys.size > 0) for (const [key, id] of await store.staticIds([...keys])) ids.set(key, id);
      complete.add(graph);
    }
    const partitionsOf = partitionsIn(graph);
    return (entity) => staticIdsOf(partitionsOf(entity) ?? null, ids);
  }

  return {
    async current(graph) {
      if (known !== null) return known;
      const idsOf = await idsIn(graph);
      const cursors = new Map<EntityKey, AutomationCursor>();
      for (const [entity, text] of await store.cursors()) {
        try {
          const stored = JSON.parse(text) as StoredCursor;
          cursors.set(entity, decodeCursor(entity, stored, partitionsIn(graph), idsOf));
        } catch (error) {
          logger.error({ err: error, entity }, 'a stored cursor is damaged: its condition begins anew');
        }
      }
      known = cursors;
      return cursors;
    },

    async changes(graph, next) {
      const changed = [...next].filter(([entity, cursor]) => known?.get(entity) !== cursor);
      const forgotten = [...(known?.keys() ?? [])].filter((entity) => !next.has(entity));
      if (changed.length === 0) return { cursors: new Map(), forgotten };
      const idsOf = await idsIn(graph);
      const cursors = new Map(
        changed.map(([entity, cursor]) => [entity, JSON.stringify(encodeCursor(entity, cursor, idsOf))]),
      );
      return { cursors, forgotten };
    },

    stored(next) {
      known = next;
    },
  };
}

function staticKeysOf(definition: PartitionsDefinition | null): readonly string[] {
  if (definition === null || definition.kind === 'time') return [];
  if (definition.kind === 'static') return definition.keys;
  return dimensionsOf(definition).flatMap((one) => staticKeysOf(one.definition));
}

function staticIdsOf(definition: PartitionsDefinition | null, ids: ReadonlyMap<string, number>): StaticIds {
  if (definition?.kind === 'static') return { '': ids };
  if (definition?.kind !== 'multi') return {};
  return Object.fromEntries(Object.keys(definition.dimensions).map((name) => [name, ids]));
}

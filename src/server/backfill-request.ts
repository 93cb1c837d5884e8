import type { AssetKey, Definitions } from '../definitions/definitions.ts';
import { nearestKeys, selectToRun } from '../definitions/selection.ts';
import type { BackfillPartitions, BackfillRequest } from '../plan/backfill-request.ts';
import type { Actor } from './actor.ts';
import type { BackfillRequest as Asked } from './contract/backfill.ts';
import { refusal } from './refusal.ts';
import { runConfig } from './run-config.ts';

const WAYS = 'give partitions.range, partitions.keys or partitions.all, or only';

/**
 * The request of a client → the engine's.
 * @throws `SELECTION_INVALID`, `SELECTION_EMPTY`, `ASSET_NOT_FOUND`, `REQUEST_INVALID`
 */
export function backfillRequest(definitions: Definitions, asked: Asked, actor: Actor): BackfillRequest {
  return {
    assets: assetsOf(definitions, asked),
    partitions: partitionsOf(asked),
    fullRefresh: asked.full_refresh ?? false,
    config: runConfig(asked.config, undefined),
    tags: asked.tags ?? {},
    cause: actor,
    ...(asked.only === undefined ? {} : { only: asked.only }),
    ...(asked.single_run === undefined ? {} : { singleRun: asked.single_run }),
    ...(asked.max_concurrent === undefined ? {} : { maxConcurrent: asked.max_concurrent }),
    ...(asked.order === undefined ? {} : { order: asked.order }),
    ...(asked.idempotency_key === undefined ? {} : { idempotencyKey: asked.idempotency_key }),
  };
}

/** In dependency order, each once. */
function assetsOf(definitions: Definitions, asked: Asked): readonly AssetKey[] {
  const graph = definitions.assets;
  if ((asked.selection === undefined) === (asked.asset_keys === undefined)) {
    throw refusal('REQUEST_INVALID', 'give either selection or asset_keys');
  }
  if (asked.selection !== undefined) {
    const selected = selectToRun(graph, asked.selection);
    if (!selected.ok) throw refusal(selected.code, selected.message, selected.hint);
    return selected.keys;
  }
  const keys = new Set(asked.asset_keys);
  for (const key of keys) {
    if (graph.nodes.get(key)?.kind === 'materializable') continue;
    const near = nearestKeys(graph, key);
    const hint = near.length === 0 ? undefined : `did you mean ${near.join(', ')}?`;
    throw refusal('ASSET_NOT_FOUND', `there is no asset "${key}" that can be materialized`, hint);
  }
  return graph.order.filter((key) => keys.has(key));
}

function partitionsOf({ partitions, only }: Asked): BackfillPartitions {
  const { range, keys, all } = partitions ?? {};
  const given = [range, keys, all].filter((value) => value !== undefined).length;
  if (given > 1) throw refusal('REQUEST_INVALID', 'range, keys and all exclude each other');
  if (range !== undefined) return { kind: 'range', start: range.start, end: range.end };
  if (keys !== undefined) return { kind: 'keys', keys };
  if (all === undefined && only === undefined) {
    throw refusal('REQUEST_INVALID', 'a backfill needs to know which partitions', WAYS);
  }
  return { kind: 'all' };
}

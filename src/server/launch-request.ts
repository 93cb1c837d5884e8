import type { Definitions } from '../definitions/definitions.ts';
import { findPipeline } from '../definitions/find-pipeline.ts';
import { type SelectionResult, selectToRun } from '../definitions/selection.ts';
import { PEOPLE_PRIORITY } from '../plan/priorities.ts';
import type { RunRequest } from '../plan/run-plan.ts';
import type { Actor } from './actor.ts';
import type { LaunchRequest } from './contract/run.ts';
import { refusal } from './refusal.ts';
import { runConfig } from './run-config.ts';

/**
 * The request of a client → the engine's. Assets of disabled pipelines are left out of a selection that has others too,
 * and named in the answer; alone they are refused by the engine, with its reason.
 * @throws `SELECTION_INVALID`, `SELECTION_EMPTY`, `REQUEST_INVALID`, `PARTITION_UNKNOWN`
 */
export function launchRequest(
  definitions: Definitions,
  asked: LaunchRequest,
  actor: Actor,
): { readonly request: RunRequest; readonly skipped: readonly string[] } {
  const selected = select(definitions, asked);
  if (!selected.ok) throw refusal(selected.code, selected.message, selected.hint);
  const nodeOf = definitions.assets.nodes;
  const enabled = selected.keys.filter((key) => nodeOf.get(key)?.enabled === true);
  const assets = enabled.length > 0 ? enabled : selected.keys;
  const partitions = partitionsOf(asked);
  const namesKeys = partitions.kind === 'keys' || partitions.kind === 'range';
  if (namesKeys && assets.every((key) => nodeOf.get(key)?.partitions === undefined)) {
    throw refusal(
      'PARTITION_UNKNOWN',
      'no asset of the selection is partitioned',
      'launch it without a partition',
    );
  }
  return {
    skipped: enabled.length > 0 ? selected.keys.filter((key) => nodeOf.get(key)?.enabled !== true) : [],
    request: {
      assets,
      partitions,
      fullRefresh: asked.full_refresh ?? false,
      config: runConfig(asked.config, asked.log_level),
      tags: asked.tags ?? {},
      priority: PEOPLE_PRIORITY,
      cause: actor,
      ...(asked.idempotency_key === undefined ? {} : { idempotencyKey: asked.idempotency_key }),
    },
  };
}

function select(definitions: Definitions, { selection, source }: LaunchRequest): SelectionResult {
  if (selection !== undefined && source === undefined) return selectToRun(definitions.assets, selection);
  if (selection !== undefined || source === undefined) {
    throw refusal('REQUEST_INVALID', 'give either selection or source');
  }
  const found = findPipeline(definitions, source, ['dlt', 'sling']);
  if (!found.ok) throw refusal(found.code, found.message, found.hint);
  const { component, pipeline } = found;
  const { nodes, order } = definitions.assets;
  // One of several sources of a folder is an asset of its own.
  const isOne = pipeline.config.dlt?.sources?.some(({ name }) => name === source) === true;
  const keys = order.filter((key) => {
    const node = nodes.get(key);
    const isOfIt = node?.component === component && node.pipeline === pipeline.name;
    return isOfIt && (!isOne || node.resource === source);
  });
  if (keys.length > 0) return { ok: true, keys };
  const message = `no asset of ${pipeline.name} is known yet`;
  return { ok: false, code: 'SELECTION_EMPTY', message, hint: 'elt status shows what is missing' };
}

function partitionsOf(asked: LaunchRequest): RunRequest['partitions'] {
  const given = [asked.partition, asked.partitions, asked.range].filter((value) => value !== undefined);
  if (given.length > 1) {
    throw refusal('REQUEST_INVALID', 'partition, partitions and range exclude each other');
  }
  if (asked.partition === 'latest') return { kind: 'latest' };
  if (asked.partition !== undefined) return { kind: 'keys', keys: [asked.partition] };
  if (asked.partitions !== undefined && asked.partitions.length > 0)
    return { kind: 'keys', keys: asked.partitions };
  if (asked.range !== undefined) return { kind: 'range', ...asked.range };
  return { kind: 'none' };
}

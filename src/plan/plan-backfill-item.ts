import type { AssetKey, Definitions } from '../definitions/definitions.ts';
import type { PartitionsDefinition } from '../partitions/definition/partitions-definition.ts';
import { sameDefinition } from '../partitions/mapping/key-mappings.ts';
import type { BackfillGroup, BackfillItem } from './backfill-plan.ts';
import type { BackfillRequest } from './backfill-request.ts';
import { jobNameOf, type PlanContext } from './plan-run.ts';
import { planSteps } from './plan-steps.ts';
import { BACKFILL_PRIORITY } from './priorities.ts';
import type { PartitionSelection, RunPlan } from './run-plan.ts';
import { translateKeys } from './translate-keys.ts';

export interface PlannedItem {
  /** With the assets that still have these partitions; null: none has. */
  readonly plan: RunPlan | null;
  /** Why assets of the item are not in the plan, one sentence each; empty: all of them are. */
  readonly gone: readonly string[];
}

/**
 * The run of one item by the definitions of now (the steps are pinned to the code from here on). Fault C5: partitions
 * are what they were when the backfill was created; an asset that is gone, or has other partitions now, is named.
 */
export function planBackfillItem(
  definitions: Definitions,
  backfill: {
    readonly backfillId: string;
    readonly request: BackfillRequest;
    readonly groups: readonly BackfillGroup[];
  },
  item: BackfillItem,
  context: PlanContext,
): PlannedItem {
  const { request, backfillId } = backfill;
  const { definition, parts } = backfill.groups[item.group]!;
  const kept: AssetKey[] = [];
  const gone: string[] = [];
  let selection: PartitionSelection | null = null;
  for (const key of parts[item.part]!.assets) {
    const found = selectionOf(definitions, key, definition, item, context.now);
    if (typeof found === 'string') gone.push(found);
    else if (selection === null || JSON.stringify(selection) === JSON.stringify(found)) {
      selection = found;
      kept.push(key);
    } else gone.push(`the partitions of ${key} are called otherwise than those of ${kept[0]} now`);
  }
  if (selection === null) return { plan: null, gone };
  const asked = { ...request, partitions: { kind: 'none' as const }, priority: BACKFILL_PRIORITY };
  const cause = { kind: 'backfill', backfillId } as const;
  const { runRetries } = definitions.instance;
  return {
    gone,
    plan: {
      runId: context.newId(),
      launchId: context.newId(),
      definitionsDigest: definitions.digest,
      jobName: jobNameOf(definitions, kept),
      steps: planSteps(definitions, kept, selection, { ...asked, cause }, context.now),
      after: [],
      partitions: selection,
      cause,
      tags: { ...request.tags, backfill: backfillId },
      config: request.config,
      priority: BACKFILL_PRIORITY,
      runRetriesLeft: runRetries.enabled ? runRetries.maxRetries : 0,
    },
  };
}

/** What the item means for an asset today, or why it means nothing. */
function selectionOf(
  definitions: Definitions,
  key: AssetKey,
  then: PartitionsDefinition | null,
  item: BackfillItem,
  now: number,
): PartitionSelection | string {
  const node = definitions.assets.nodes.get(key);
  if (node === undefined || node.kind === 'external') return `${key} is not defined any more`;
  if (!node.enabled) return `the pipeline ${node.pipeline} of ${key} is disabled`;
  const today = node.partitions ?? null;
  if (then === null) return today === null ? { kind: 'none' } : `${key} has partitions now`;
  if (today === null) return `${key} has no partitions any more`;
  const [start, end] = [item.start!, item.end!];
  if (sameDefinition(then, today))
    return start === end ? { kind: 'key', key: start } : { kind: 'range', start, end };
  const keys = translateKeys(then, today, { start, end }, now);
  if (!keys.ok) return `the partitions of ${key} changed: "${keys.missing}" is none of them any more`;
  return keys.keys.length === 1 ? { kind: 'key', key: keys.keys[0]! } : { kind: 'keys', keys: keys.keys };
}

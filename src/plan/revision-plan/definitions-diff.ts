import { alertsShape } from '../../definitions/alerts.ts';
import { common, configShape, limitsShape, scheduleShape } from '../../definitions/config-shape.ts';
import type {
  AssetCheck,
  AssetNode,
  Definitions,
  ScheduleDefinition,
} from '../../definitions/definitions.ts';
import { fieldChanges } from '../../definitions/field-changes.ts';
import type { DiscoveredAsset, PipelineState } from '../../state/snapshot.ts';
import type { DefinitionChange, DefinitionFieldChange } from '../revision-plan.ts';
import { movedAssets, type PipelinePair, pairPipelines, renamedSchedules } from './moves.ts';

const KINDS: readonly DefinitionChange['kind'][] = ['pipeline', 'asset', 'schedule', 'check', 'instance'];
/** What discovery says of every asset, and what has a place of its own. */
const NOT_OF_ASSETS = new Set(['key', 'kind', 'checks', 'source', 'code_version', 'asset_set']);
/** Digits of a content digest that are shown. */
const SHORT = 12;

/**
 * What going from one set of definitions to another changes, sorted by kind and key. Nothing that has no meaning is in it:
 * a comment, a README, the order of keys, a line that moved, a folder that waits or is held.
 */
export function definitionsDiff(before: Definitions, after: Definitions): DefinitionChange[] {
  const pairs = pairPipelines(before, after);
  const moved = movedAssets(pairs);
  const names = renamedSchedules(pairs);
  const changes = [
    ...pairs.flatMap(pipelineChanges),
    ...assetChanges(before, after, moved),
    ...scheduleChanges(before, after, names),
    ...checkChanges(before, after, moved),
    ...instanceChanges(before, after),
  ];
  return changes.sort(
    (a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0),
  );
}

function pipelineChanges({ before, after, move }: PipelinePair): DefinitionChange[] {
  const state = after ?? before;
  if (state === null || before === after) return [];
  const base = { kind: 'pipeline', key: state.name, pipeline: state.name, file: state.code.dir } as const;
  if (before === null) return [{ ...base, change: 'added', fields: [] }];
  if (after === null) return [{ ...base, change: 'removed', fields: [] }];
  const fields = [...placeChanges(before, after), ...settingChanges(before, after)];
  if (fields.length === 0) return [];
  const isMove = move !== null || before.code.dir !== after.code.dir;
  return [{ ...base, change: isMove ? 'moved' : 'changed', fields }];
}

function placeChanges(before: PipelineState, after: PipelineState): DefinitionFieldChange[] {
  const fields: DefinitionFieldChange[] = [];
  if (before.name !== after.name) fields.push({ field: 'name', from: before.name, to: after.name });
  if (before.code.dir !== after.code.dir)
    fields.push({ field: 'dir', from: before.code.dir, to: after.code.dir });
  return fields;
}

function settingChanges(before: PipelineState, after: PipelineState): DefinitionFieldChange[] {
  const fields: DefinitionFieldChange[] = fieldChanges(shapeOf(before), shapeOf(after)).filter(
    ({ field }) => field !== 'moved_from',
  );
  const [from, to] = [before.code.contentDigest, after.code.contentDigest];
  if (from !== to) fields.push({ field: 'code', from: short(from), to: short(to) });
  return fields;
}

/** Schedules and checks are told under their own names. */
function shapeOf({ config }: PipelineState): object {
  const { schedule: _, checks: _checks, assets, ...rest } = configShape(config);
  const overrides = Object.entries((assets ?? {}) as Record<string, Record<string, unknown>>);
  return {
    ...rest,
    assets: Object.fromEntries(overrides.map(([key, { checks: _own, ...over }]) => [key, over])),
  };
}

function assetChanges(
  before: Definitions,
  after: Definitions,
  moved: ReadonlyMap<string, string>,
): DefinitionChange[] {
  const changes: DefinitionChange[] = [];
  const left = new Set(made(before).map((node) => node.key));
  const [old, now] = [discoveredOf(before), discoveredOf(after)];
  for (const node of made(after)) {
    const earlier = moved.get(node.key) ?? node.key;
    const was = old.get(earlier);
    left.delete(earlier);
    const base = baseOf('asset', node.key, node);
    if (was === undefined) changes.push({ ...base, change: 'added', fields: [] });
    else {
      const asset = now.get(node.key);
      const fields = asset === undefined || asset === was ? [] : discoveredChanges(was, asset);
      if (earlier !== node.key)
        changes.push({
          ...base,
          change: 'moved',
          fields: [{ field: 'key', from: earlier, to: node.key }, ...fields],
        });
      else if (fields.length > 0) changes.push({ ...base, change: 'changed', fields });
    }
  }
  for (const key of left)
    changes.push({ ...baseOf('asset', key, before.assets.nodes.get(key)!), change: 'removed', fields: [] });
  return changes;
}

function made(definitions: Definitions): AssetNode[] {
  return [...definitions.assets.nodes.values()].filter((node) => node.kind === 'materializable');
}

function discoveredOf(definitions: Definitions): ReadonlyMap<string, DiscoveredAsset> {
  const found = new Map<string, DiscoveredAsset>();
  for (const { assets } of definitions.pipelines.values())
    for (const asset of assets) if (!found.has(asset.key)) found.set(asset.key, asset);
  return found;
}

function discoveredChanges(was: DiscoveredAsset, now: DiscoveredAsset): DefinitionFieldChange[] {
  const fields: DefinitionFieldChange[] = fieldChanges(discovered(was), discovered(now));
  const [from, to] = [was.codeVersion, now.codeVersion];
  if (from !== undefined && to !== undefined && from !== to)
    fields.push({ field: 'code', from: short(from), to: short(to) });
  return fields;
}

/** What the folder's code says of an asset; settings of `dagster.yaml` are the pipeline's. */
function discovered(asset: DiscoveredAsset): object {
  const { tags, partitions, ...rest } = asset;
  const { elt_type: _, pipeline: _pipeline, replication: _replication, ...own } = tags ?? {};
  // Those of an asset set are told as the set's.
  const cut = asset.assetSet === undefined ? { partitions } : {};
  const entries = Object.entries(common({ ...rest, ...cut, tags: own })).filter(
    ([key]) => !NOT_OF_ASSETS.has(key),
  );
  return Object.fromEntries(entries);
}

function scheduleChanges(
  before: Definitions,
  after: Definitions,
  names: ReadonlyMap<string, string>,
): DefinitionChange[] {
  const changes: DefinitionChange[] = [];
  const left = new Map(before.schedules);
  for (const schedule of after.schedules.values()) {
    const earlier = left.has(schedule.name) ? schedule.name : (names.get(schedule.name) ?? schedule.name);
    const was = left.get(earlier);
    left.delete(earlier);
    const base = baseOf('schedule', schedule.name, schedule);
    if (was === undefined) changes.push({ ...base, change: 'added', fields: [] });
    else {
      const shapes = [scheduleShape(was.config), scheduleShape(schedule.config)] as const;
      const fields = fieldChanges(...shapes, 'schedule');
      if (earlier !== schedule.name)
        changes.push({
          ...base,
          change: 'moved',
          fields: [{ field: 'name', from: earlier, to: schedule.name }, ...fields],
        });
      else if (fields.length > 0) changes.push({ ...base, change: 'changed', fields });
    }
  }
  for (const schedule of left.values())
    changes.push({ ...baseOf('schedule', schedule.name, schedule), change: 'removed', fields: [] });
  return changes;
}

/** Checks of assets that come or go come and go with them: only those of assets on both sides are told. */
function checkChanges(
  before: Definitions,
  after: Definitions,
  moved: ReadonlyMap<string, string>,
): DefinitionChange[] {
  const changes: DefinitionChange[] = [];
  for (const node of made(after)) {
    const was = before.assets.nodes.get(moved.get(node.key) ?? node.key);
    if (was === undefined || was.kind !== 'materializable') continue;
    const left = new Map(was.checks.map((check) => [check.name, check]));
    for (const check of node.checks) {
      const old = left.get(check.name);
      left.delete(check.name);
      const base = baseOf('check', `${node.key}:${check.name}`, node);
      if (old === undefined) changes.push({ ...base, change: 'added', fields: [] });
      else {
        const fields = fieldChanges(checkShape(old), checkShape(check), `checks.${check.name}`);
        if (fields.length > 0) changes.push({ ...base, change: 'changed', fields });
      }
    }
    for (const name of left.keys())
      changes.push({ ...baseOf('check', `${node.key}:${name}`, node), change: 'removed', fields: [] });
  }
  return changes;
}

/** A declared check's own keys stand beside the others, as they do in the file. */
function checkShape(check: AssetCheck): object {
  if (check.kind === 'tool') {
    const { kind: _, toolId: _id, name: _name, ...rest } = check;
    return rest;
  }
  const { kind: _, settings, name: _name, ...rest } = check;
  return { ...settings, ...rest };
}

function instanceChanges(before: Definitions, after: Definitions): DefinitionChange[] {
  const fields = fieldChanges(instanceShape(before), instanceShape(after));
  if (fields.length === 0) return [];
  return [{ kind: 'instance', key: '', change: 'changed', fields, pipeline: null, file: 'dagster.yaml' }];
}

function instanceShape({ instance, alerts }: Definitions): object {
  const { runRetries, maxConcurrentRuns, pools, limits: ofSteps } = instance;
  const limits = Object.entries(pools).map(([name, limit]) => [name, { limit }]);
  return {
    run_retries: { enabled: runRetries.enabled, max_retries: runRetries.maxRetries },
    concurrency: {
      runs: { max_concurrent_runs: maxConcurrentRuns },
      pools: Object.fromEntries(limits) as object,
    },
    limits: ofSteps === undefined ? undefined : limitsShape(ofSteps),
    alerts: alertsShape(alerts),
  };
}

function baseOf<K extends DefinitionChange['kind']>(
  kind: K,
  key: string,
  owner: Pick<AssetNode | ScheduleDefinition, 'pipeline' | 'source'>,
): { kind: K; key: string; pipeline: string; file: string } {
  return { kind, key, pipeline: owner.pipeline, file: owner.source.file };
}

function short(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, SHORT);
}

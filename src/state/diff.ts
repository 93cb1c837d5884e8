import { common, configShape } from '../definitions/config-shape.ts';
import { fieldChanges } from '../definitions/field-changes.ts';
import type { DiscoveredAsset, PipelineState, Snapshot } from './snapshot.ts';
import type { FieldChange, SnapshotDiff } from './snapshot-diff.ts';

/**
 * What a new snapshot changes for the people who run it: pipelines that come and go, and field by field what differs in
 * those that stay, by the names of `dagster.yaml`'s keys. A moved line is no change, other code is (`content`).
 */
export function diffSnapshots(previous: Snapshot | null, next: Snapshot): SnapshotDiff {
  const before = new Map((previous?.pipelines ?? []).map((pipeline) => [pipeline.name, pipeline]));
  const after = new Map(next.pipelines.map((pipeline) => [pipeline.name, pipeline]));
  const changed = next.pipelines.flatMap((pipeline) => {
    const old = before.get(pipeline.name);
    if (old === undefined || old === pipeline) return [];
    const fields = fieldsOfPipeline(old, pipeline);
    return fields.length === 0 ? [] : [{ pipeline: pipeline.name, fields }];
  });
  return {
    added: [...after.keys()].filter((name) => !before.has(name)).sort(),
    removed: [...before.keys()].filter((name) => !after.has(name)).sort(),
    changed,
  };
}

/** Field by field what differs between two states of one pipeline. */
export function fieldsOfPipeline(old: PipelineState, now: PipelineState): FieldChange[] {
  return [
    ...single('status', old.status, now.status),
    ...single('dir', old.code.dir, now.code.dir),
    ...fieldChanges(configShape(old.config), configShape(now.config)),
    ...assetChanges(old, now),
    ...single('content', old.code.contentDigest, now.code.contentDigest),
  ];
}

function assetChanges(old: PipelineState, now: PipelineState): FieldChange[] {
  const before = new Map(old.assets.map((asset) => [asset.key, asset]));
  const after = new Map(now.assets.map((asset) => [asset.key, asset]));
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((key): FieldChange[] => {
    const [from, to] = [before.get(key), after.get(key)];
    if (from !== undefined && to !== undefined)
      return fieldChanges(discovered(from), discovered(to), `assets.${key}`);
    return single(`assets.${key}`, from === undefined ? null : key, to === undefined ? null : key);
  });
}

function discovered(asset: DiscoveredAsset): object {
  const { key: _, ...rest } = asset;
  return common(rest);
}

function single(field: string, from: unknown, to: unknown): FieldChange[] {
  return from === to ? [] : [{ field, from, to }];
}

import { type KeyKind, kindBelow, snakeCase } from './keys.ts';
import type { PipelineState, Snapshot } from './snapshot.ts';
import type { FieldChange, SnapshotDiff } from './snapshot-diff.ts';

/** Places and commits change without a change of meaning. */
const WITHOUT_MEANING = new Set(['source', 'name', 'dir', 'tool']);

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
    const fields = pipelineChanges(old, pipeline);
    return fields.length === 0 ? [] : [{ pipeline: pipeline.name, fields }];
  });
  return {
    added: [...after.keys()].filter((name) => !before.has(name)).sort(),
    removed: [...before.keys()].filter((name) => !after.has(name)).sort(),
    changed,
  };
}

function pipelineChanges(old: PipelineState, now: PipelineState): FieldChange[] {
  const changes: FieldChange[] = [];
  compare('status', old.status, now.status, changes);
  compare('dir', old.code.dir, now.code.dir, changes);
  compare('tool', old.config.tool, now.config.tool, changes);
  compareObjects('', old.config, now.config, 'ours', changes);
  compareAssets(old, now, changes);
  compare('content', old.code.contentDigest, now.code.contentDigest, changes);
  return changes;
}

function compareAssets(old: PipelineState, now: PipelineState, changes: FieldChange[]): void {
  const before = new Map(old.assets.map((asset) => [asset.key, asset]));
  const after = new Map(now.assets.map((asset) => [asset.key, asset]));
  for (const key of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const [from, to] = [before.get(key), after.get(key)];
    if (from === undefined || to === undefined) {
      changes.push({
        field: `assets.${key}`,
        from: from === undefined ? null : key,
        to: to === undefined ? null : key,
      });
    } else
      compareObjects(
        `assets.${key}`,
        { ...from, key: undefined },
        { ...to, key: undefined },
        'ours',
        changes,
      );
  }
}

function compareObjects(
  prefix: string,
  old: object,
  now: object,
  kind: KeyKind,
  changes: FieldChange[],
): void {
  const before = old as Readonly<Record<string, unknown>>;
  const after = now as Readonly<Record<string, unknown>>;
  for (const key of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()) {
    if (kind === 'ours' && WITHOUT_MEANING.has(key)) continue;
    const [from, to] = [before[key], after[key]];
    const name = kind === 'ours' ? snakeCase(key) : key;
    const field = prefix === '' ? name : `${prefix}.${name}`;
    if (isObject(from) && isObject(to)) {
      compareObjects(
        field,
        from,
        to,
        kind === 'ours' ? kindBelow(key, to) : kind === 'named' ? 'ours' : kind,
        changes,
      );
    } else compare(field, from, to, changes);
  }
}

function compare(field: string, from: unknown, to: unknown, changes: FieldChange[]): void {
  if (!equal(from, to)) changes.push({ field, from: from ?? null, to: to ?? null });
}

function equal(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, i) => equal(item, b[i]));
  if (!isObject(a) || !isObject(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => equal(a[key], b[key]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

import type { BackfillPreview } from '../../engine/backfill-engine.ts';
import { countOf } from '../../partitions/subset/partition-subset.ts';
import { keysOf } from '../../partitions/subset/subset-keys.ts';
import type { BackfillGroup, BackfillRow, BackfillRunRow } from '../../store/backfill-store.ts';
import type {
  Backfill,
  BackfillDetail,
  BackfillPreview as BackfillPreviewView,
  BackfillRun,
} from '../contract/backfill.ts';
import type { PartitionSelection } from '../contract/common.ts';
import { causeView } from './run-view.ts';
import { timestamp, timestampOrNull } from './view-context.ts';

/** Of a list of keys that was asked for, as many as a person reads. */
const SHOWN_KEYS = 100;

/** @param expectedEnd see `expectedEnd`; null: not known */
export function backfillView(row: BackfillRow, expectedEnd: number | null): Backfill {
  const { request } = row;
  return {
    backfill_id: row.backfillId,
    status: row.status,
    reason: row.reason,
    cause: causeView(request.cause),
    changed_by: row.changedBy,
    parent_id: row.parentId,
    asset_keys: [...request.assets],
    partitions: askedPartitions(row),
    only: request.only ?? null,
    single_run: request.singleRun ?? null,
    max_concurrent: request.maxConcurrent ?? null,
    order: request.order ?? 'asc',
    full_refresh: request.fullRefresh,
    tags: { ...request.tags },
    counts: { ...row.counts },
    runs: row.runs,
    submitted: row.submitted,
    created_at: timestamp(row.createdAt),
    ended_at: timestampOrNull(row.endedAt),
    expected_end: timestampOrNull(expectedEnd),
  };
}

export function backfillDetail(row: BackfillRow, expectedEnd: number | null): BackfillDetail {
  return {
    ...backfillView(row, expectedEnd),
    config: { ...row.request.config },
    assets: [...partitionsByAsset(row.groups)].map(([key, { partitions, group }]) => ({
      key,
      partitions,
      partitioned: group.definition !== null,
      single_run: group.policy?.type === 'single_run',
      serial: group.serial,
    })),
  };
}

/** Assets in the order of the groups, each with its number of partitions. */
function partitionsByAsset(
  groups: readonly BackfillGroup[],
): Map<string, { partitions: number; group: BackfillGroup }> {
  const found = new Map<string, { partitions: number; group: BackfillGroup }>();
  for (const group of groups) {
    for (const { assets, subset } of group.parts) {
      const size = group.definition === null ? 1 : countOf(subset);
      for (const key of assets) {
        found.set(key, { partitions: (found.get(key)?.partitions ?? 0) + size, group });
      }
    }
  }
  return found;
}

export function previewView(preview: BackfillPreview): BackfillPreviewView {
  return {
    assets: preview.assets.map(({ key, partitions, alreadyMaterialized, firstKey, lastKey }) => ({
      key,
      partitions,
      already_materialized: alreadyMaterialized,
      first_key: firstKey,
      last_key: lastKey,
    })),
    runs: preview.runs,
    partitions: preview.partitions,
    first_runs: preview.firstRuns.map(({ assets, start, end }) => ({
      asset_keys: [...assets],
      partitions: selectionOf(start, end),
    })),
    expected:
      preview.expected === null
        ? null
        : {
            run_seconds: preview.expected.runSeconds,
            seconds: preview.expected.seconds,
            samples: preview.expected.samples,
          },
    notes: [...preview.notes],
  };
}

export function backfillRunView(groups: readonly BackfillGroup[], row: BackfillRunRow): BackfillRun {
  return {
    item: row.item,
    run_id: row.runId,
    status: row.status,
    reason: row.reason,
    asset_keys: [...(groups[row.group]?.parts[row.part]?.assets ?? [])],
    partitions: selectionOf(row.start, row.end),
    count: row.partitions,
    started_at: timestampOrNull(row.startedAt),
    ended_at: timestampOrNull(row.endedAt),
  };
}

/**
 * When a backfill will have ended if it goes on at the pace of its newest runs, however long it stood still before.
 * Null: not one of them has ended yet, or it is paused or canceled.
 */
export function expectedEnd(row: BackfillRow, newest: readonly BackfillRunRow[], now: number): number | null {
  if (row.status !== 'REQUESTED') return null;
  const ran = newest.filter(({ startedAt, endedAt }) => startedAt !== null && endedAt !== null);
  const done = ran.reduce((sum, { partitions }) => sum + partitions, 0);
  const began = Math.min(...ran.map(({ startedAt }) => startedAt!));
  const last = Math.max(...ran.map(({ endedAt }) => endedAt!));
  if (done === 0 || last <= began) return null;
  const left = row.counts.not_started + row.counts.in_progress;
  return Math.max(now, last + (left / done) * (last - began));
}

function askedPartitions({ request, groups }: BackfillRow): Backfill['partitions'] {
  const { partitions: asked } = request;
  if (asked.kind === 'requested') return { kind: 'keys', count: asked.count, keys: firstKeys(groups) };
  if (asked.kind !== 'keys') return { ...asked };
  return { kind: 'keys', count: asked.keys.length, keys: asked.keys.slice(0, SHOWN_KEYS) };
}

function firstKeys(groups: BackfillRow['groups']): string[] {
  const keys = new Set<string>();
  for (const { definition, parts } of groups) {
    for (const { subset } of definition === null ? [] : parts) {
      for (const key of keysOf(definition!, subset)) {
        if (keys.size === SHOWN_KEYS) return [...keys];
        keys.add(key);
      }
    }
  }
  return [...keys];
}

function selectionOf(start: string | null, end: string | null): PartitionSelection {
  if (start === null || end === null) return { kind: 'none' };
  return start === end ? { kind: 'key', key: start } : { kind: 'range', start, end };
}

import { type DefinedSubset, subsetUnder } from '../../automation/cursor.ts';
import type { RunStatus } from '../../events/run-state.ts';
import { keyToOrdinal } from '../../partitions/definition/key-order.ts';
import type { PartitionsDefinition } from '../../partitions/definition/partitions-definition.ts';
import { unpartitioned } from '../../partitions/mapping/map-partitions.ts';
import { rangeOfKeys } from '../../partitions/partition-set.ts';
import {
  emptySubset,
  type PartitionSubset,
  subsetOfOrdinals,
} from '../../partitions/subset/partition-subset.ts';
import { definitionOf, type Reader } from './identities.ts';
import { chunks, fromJson } from './json.ts';

const CHUNK = 500;
const UNFINISHED: readonly RunStatus[] = ['QUEUED', 'STARTED', 'CANCELING'];
const NOT_SUCCESSFUL: readonly RunStatus[] = [...UNFINISHED, 'FAILURE', 'CANCELED'];

/** That a run was planned to write some partitions of an asset. */
export interface PlannedAssetRun {
  readonly runNo: number;
  readonly runId: string;
  readonly status: RunStatus;
  /** The first event of the run that is left. */
  readonly eventId: number;
  readonly assetId: number;
  /** The backfill that the run is a part of. */
  readonly backfillNo: number | null;
  /** In which definition its keys are written; undefined: not known. */
  readonly definition: PartitionsDefinition | null | undefined;
  readonly keys: readonly string[];
  readonly isRange: boolean;
}

/** What some runs were planned to write; or what runs that have not succeeded were to write of some assets. Oldest run first. */
export async function plannedAssetRuns(
  tx: Reader,
  by: { readonly runNos: readonly number[] } | { readonly assetIds: readonly number[] },
): Promise<readonly PlannedAssetRun[]> {
  const found: PlannedAssetRun[] = [];
  for (const some of chunks('runNos' in by ? by.runNos : by.assetIds, CHUNK)) {
    const query = tx.db
      .selectFrom('run')
      .innerJoin('step_asset', 'step_asset.run_no', 'run.run_no')
      .select((eb) => [
        'run.run_no',
        'run.run_id',
        'run.status',
        'run.backfill_no',
        'step_asset.asset_id',
        'step_asset.definition_id',
        'step_asset.partition_keys',
        'step_asset.is_range',
        eb
          .selectFrom('event')
          .select((first) => first.fn.min('event.event_id').as('event_id'))
          .whereRef('event.run_no', '=', 'run.run_no')
          .as('event_id'),
      ])
      .orderBy('run.run_no');
    const rows = await ('runNos' in by
      ? query.where('run.run_no', 'in', some)
      : query.where('run.status', 'in', NOT_SUCCESSFUL).where('step_asset.asset_id', 'in', some)
    ).execute();
    for (const row of rows) {
      found.push({
        runNo: row.run_no,
        runId: row.run_id,
        status: row.status as RunStatus,
        eventId: row.event_id ?? 0,
        assetId: row.asset_id,
        backfillNo: row.backfill_no,
        definition: await definitionOf(tx, row.definition_id),
        keys: fromJson<string[]>(row.partition_keys),
        isRange: row.is_range === 1,
      });
    }
  }
  return found.sort((a, b) => a.runNo - b.runNo);
}

/**
 * What counts of all runs of some assets: what those that have not succeeded were to write, and what those that succeeded
 * were before one that was planned earlier: it failed after it wrote over theirs, or can still do so. Then their writes do
 * not tell of them any more.
 */
export async function plannedRunsOfAssets(
  tx: Reader,
  assetIds: readonly number[],
): Promise<readonly PlannedAssetRun[]> {
  const wanted = new Set(assetIds);
  const runs = await plannedAssetRuns(tx, { assetIds });
  const hidden = new Set<number>();
  for (const some of chunks(assetIds, CHUNK)) {
    const rows = await tx.db
      .selectFrom('run as failed')
      .innerJoin('materialization as last', 'last.run_no', 'failed.run_no')
      .innerJoin('materialization as before', (join) =>
        join
          .onRef('before.asset_id', '=', 'last.asset_id')
          .onRef('before.p_kind', '=', 'last.p_kind')
          .onRef('before.p1', '=', 'last.p1')
          .onRef('before.p2', '=', 'last.p2')
          .onRef('before.run_no', '>', 'last.run_no')
          .onRef('before.event_id', '<', 'last.event_id'),
      )
      .innerJoin('run as succeeded', 'succeeded.run_no', 'before.run_no')
      .select('before.run_no')
      .distinct()
      .where('failed.status', '=', 'FAILURE')
      .where('succeeded.status', '=', 'SUCCESS')
      .where('last.asset_id', 'in', some)
      .execute();
    const overtaken = await tx.db
      .selectFrom('run as open')
      .innerJoin('run_asset as own', 'own.run_no', 'open.run_no')
      .innerJoin('run_asset as later', (join) =>
        join.onRef('later.asset_id', '=', 'own.asset_id').onRef('later.run_no', '>', 'own.run_no'),
      )
      .innerJoin('run as succeeded', 'succeeded.run_no', 'later.run_no')
      .select('later.run_no')
      .distinct()
      .where('open.status', 'in', UNFINISHED)
      .where('succeeded.status', '=', 'SUCCESS')
      .where('own.asset_id', 'in', some)
      .execute();
    for (const { run_no: runNo } of [...rows, ...overtaken]) hidden.add(runNo);
  }
  if (hidden.size === 0) return runs;
  const more = await plannedAssetRuns(tx, { runNos: [...hidden] });
  return [...runs, ...more.filter(({ assetId }) => wanted.has(assetId))].sort((a, b) => a.runNo - b.runNo);
}

/** The partitions of a plan under the definition that the asset has today. */
export function plannedSubset(
  { definition, keys, isRange }: Pick<PlannedAssetRun, 'definition' | 'keys' | 'isRange'>,
  today: PartitionsDefinition | null,
): PartitionSubset {
  if (keys.length === 0) return today === null ? unpartitioned : emptySubset;
  const written = definition === undefined ? today : definition;
  if (written === null || today === null) return emptySubset;
  const [start, end] = keys;
  const subset =
    isRange && start !== undefined && end !== undefined
      ? subsetOfRange(written, start, end)
      : subsetOfOrdinals(keys.map((key) => keyToOrdinal(written, key)).filter((ordinal) => ordinal !== null));
  const defined: DefinedSubset = { partitions: written, subset };
  return subsetUnder(defined, today);
}

/** Both ends included; of a 2-D set a rectangle. */
function subsetOfRange(definition: PartitionsDefinition, start: string, end: string): PartitionSubset {
  const range = rangeOfKeys(definition, start, end, null);
  return range.ok ? range.subset() : emptySubset;
}

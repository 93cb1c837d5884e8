import type { RunStatus } from '../../events/run-state.ts';
import type { CheckEvent, MaterializationEvent } from '../../events/step-event.ts';
import type { AssetStatusRow, CheckResultRow, MaterializationRow } from '../store.ts';
import type { StoreContext } from './context.ts';
import { fromJson } from './json.ts';
import { P_KIND } from './partition-identity.ts';

type Db = StoreContext['db'];

/** Materializations with all that a row shows; the caller says which. */
export function materializationsOf(db: Db) {
  return db
    .selectFrom('materialization')
    .innerJoin('asset', 'asset.asset_id', 'materialization.asset_id')
    .innerJoin('event', 'event.event_id', 'materialization.event_id')
    .innerJoin('run', 'run.run_no', 'materialization.run_no')
    .innerJoin('run_step', (join) =>
      join
        .onRef('run_step.run_no', '=', 'materialization.run_no')
        .onRef('run_step.step_key', '=', 'materialization.step_key'),
    )
    .leftJoin('step_asset', (join) =>
      join
        .onRef('step_asset.run_no', '=', 'materialization.run_no')
        .onRef('step_asset.step_key', '=', 'materialization.step_key')
        .onRef('step_asset.asset_id', '=', 'materialization.asset_id'),
    )
    .leftJoin('asset_partition', (join) =>
      join
        .onRef('asset_partition.asset_id', '=', 'materialization.asset_id')
        .onRef('asset_partition.p_kind', '=', 'materialization.p_kind')
        .onRef('asset_partition.p1', '=', 'materialization.p1')
        .onRef('asset_partition.p2', '=', 'materialization.p2'),
    )
    .leftJoin('key_text', 'key_text.key_text_id', 'asset_partition.label_id')
    .select([
      'materialization.asset_id',
      'materialization.event_id',
      'materialization.p_kind',
      'materialization.step_key',
      'materialization.at',
      'asset.key',
      'event.payload',
      'run.run_id',
      'run_step.commit_sha',
      'run_step.content_digest',
      'step_asset.code_version',
      'key_text.text',
    ]);
}

type StoredMaterialization = Awaited<
  ReturnType<ReturnType<typeof materializationsOf>['executeTakeFirstOrThrow']>
>;

export function toMaterialization(row: StoredMaterialization): MaterializationRow {
  return {
    eventId: row.event_id,
    assetKey: row.key,
    partition: row.p_kind === P_KIND.none ? null : row.text,
    runId: row.run_id,
    stepKey: row.step_key,
    at: row.at,
    commit: row.commit_sha,
    contentDigest: row.content_digest,
    codeVersion: row.code_version ?? '',
    metadata: fromJson<MaterializationEvent>(row.payload).metadata,
  };
}

/** Check results with all that a row shows; the caller says which. */
export function checksOf(db: Db) {
  return db
    .selectFrom('asset_check')
    .innerJoin('asset', 'asset.asset_id', 'asset_check.asset_id')
    .innerJoin('event', 'event.event_id', 'asset_check.event_id')
    .innerJoin('run', 'run.run_no', 'asset_check.run_no')
    .leftJoin('key_text', 'key_text.key_text_id', 'asset_check.key_text_id')
    .select([
      'asset_check.asset_id',
      'asset_check.check_name',
      'asset_check.passed',
      'asset_check.severity',
      'asset_check.at',
      'asset.key',
      'event.payload',
      'run.run_id',
      'key_text.text',
    ]);
}

type StoredCheck = Awaited<ReturnType<ReturnType<typeof checksOf>['executeTakeFirstOrThrow']>>;

export function toCheck(row: StoredCheck): CheckResultRow {
  return {
    assetKey: row.key,
    checkName: row.check_name,
    partition: row.text,
    passed: row.passed === 1,
    severity: row.severity as 'WARN' | 'ERROR',
    runId: row.run_id,
    at: row.at,
    metadata: fromJson<CheckEvent>(row.payload).metadata,
  };
}

/** `at`: when the run last moved. */
export function toRun(row: {
  run_id: string;
  status: string;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
}): NonNullable<AssetStatusRow['latestRun']> {
  return {
    runId: row.run_id,
    status: row.status as RunStatus,
    at: row.ended_at ?? row.started_at ?? row.created_at,
  };
}

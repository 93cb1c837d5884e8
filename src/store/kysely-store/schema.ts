import type { Generated, Selectable } from 'kysely';
import type { AlertTables } from './alert-schema.ts';
import type { AutomationTables } from './automation-schema.ts';
import type { BackfillTables } from './backfill-schema.ts';
import type { ControlTables } from './controls-schema.ts';
import type { InsightsTables } from './insights-schema.ts';
import type { OutboxTables } from './outbox-schema.ts';
import type { PartitionStatusTables } from './partition-status-schema.ts';

/**
 * The tables as the newest migration leaves them. Booleans are 0 and 1, instants epoch milliseconds, JSON is text.
 * A partition is `(p_kind, p1, p2)` (`partition-identity.ts`), never a text.
 */
export interface Database
  extends AlertTables,
    AutomationTables,
    BackfillTables,
    ControlTables,
    InsightsTables,
    PartitionStatusTables,
    OutboxTables {
  // identities: never rebuilt, ids never reused
  pipeline: PipelineTable;
  asset: AssetTable;
  schedule: ScheduleTable;
  partitions_definition: PartitionsDefinitionTable;
  static_key: StaticKeyTable;
  key_text: KeyTextTable;
  launch: LaunchTable;
  run_plan: RunPlanTable;
  run_asset: RunAssetTable;
  run_pipeline: RunPipelineTable;
  step_spec: StepSpecTable;
  step_asset: StepAssetTable;
  // the log
  event: EventTable;
  // projections of the log
  run: RunTable;
  run_step: RunStepTable;
  materialization: MaterializationTable;
  asset_partition: AssetPartitionTable;
  partition_activity: PartitionActivityTable;
  partition_count: PartitionCountTable;
  asset_check: AssetCheckTable;
  check_latest: CheckLatestTable;
  // what is in flight
  lease: LeaseTable;
  pool_slot: PoolSlotTable;
  // schedules, components, operations
  schedule_state: ScheduleStateTable;
  tick: TickTable;
  revision: RevisionTable;
  revision_folder: RevisionFolderTable;
  folder_state: FolderStateTable;
  discovery_result: DiscoveryResultTable;
  audit: AuditTable;
  heartbeat: HeartbeatTable;
  delivery: DeliveryTable;
}

interface PipelineTable {
  pipeline_id: Generated<number>;
  component: string;
  name: string;
}

interface AssetTable {
  asset_id: Generated<number>;
  /** The alias: a rename moves it. */
  key: string;
  pipeline_id: number | null;
  /** Partitions of the newest applied revision; null: none, or not known yet. */
  definition_id: number | null;
}

interface ScheduleTable {
  schedule_id: Generated<number>;
  name: string;
}

interface PartitionsDefinitionTable {
  definition_id: Generated<number>;
  digest: string;
  body: string;
}

interface StaticKeyTable {
  static_key_id: Generated<number>;
  text: string;
}

/** Append-only: the text under which a partition was written, so that it can be shown whatever became of its definition. */
interface KeyTextTable {
  key_text_id: Generated<number>;
  text: string;
}

interface LaunchTable {
  launch_id: string;
  idempotency_key: string | null;
  created_at: number;
}

interface RunPlanTable {
  run_no: number;
  plan: string;
}

interface RunAssetTable {
  asset_id: number;
  run_no: number;
}

interface RunPipelineTable {
  pipeline_id: number;
  run_no: number;
}

interface StepSpecTable {
  run_no: number;
  step_key: string;
  spec: string;
}

interface StepAssetTable {
  run_no: number;
  step_key: string;
  asset_id: number;
  /** Definition by which this step's partition keys are read, whatever the asset's is today. */
  definition_id: number | null;
  code_version: string;
  /** The keys that the step writes of this asset, JSON; a long range has its ends only (`is_range`). */
  partition_keys: string;
  is_range: number;
}

interface EventTable {
  event_id: Generated<number>;
  run_no: number | null;
  step_key: string | null;
  attempt: number | null;
  n: number | null;
  type: string;
  at: number;
  payload: string;
}

interface RunTable {
  /** Order of recording; `run_id` is its public name. */
  run_no: Generated<number>;
  run_id: string;
  launch_id: string;
  schedule_id: number | null;
  priority: number;
  job_name: string;
  /** Fixed facts for lists: cause, tags, asset keys, partitions, commits. */
  summary: string;
  status: string;
  cancel_requested_by: string | null;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  step_counts: string;
  error: string | null;
  /** 1: retention removed its events, its rows are what is left. */
  pruned: number;
  /** The item of a backfill that it is for, also as a retry. */
  backfill_no: number | null;
  backfill_item: number | null;
}

interface RunStepTable {
  run_no: number;
  step_key: string;
  position: number;
  commit_sha: string;
  tree_id: string;
  content_digest: string;
  status: string;
  attempt: number;
  retries_spent: number;
  lost_since: number | null;
  retry_at: number | null;
  dispatched_at: number | null;
  started_at: number | null;
  ended_at: number | null;
  finished_assets: string;
  error: string | null;
}

interface MaterializationTable {
  asset_id: number;
  event_id: number;
  p_kind: number;
  p1: number;
  p2: number;
  key_text_id: number | null;
  run_no: number;
  step_key: string;
  at: number;
}

interface AssetPartitionTable {
  asset_id: number;
  p_kind: number;
  p1: number;
  p2: number;
  /** Text of the last write. */
  key_text_id: number;
  /** Text by the asset's present definition; that of the last write if the definition has no such partition. */
  label_id: number;
  /** 1: no partition of the present definition; not counted. */
  orphan: number;
  status: string | null;
  mat_event_id: number | null;
  mat_run_no: number | null;
  mat_at: number | null;
  fail_event_id: number | null;
  fail_run_no: number | null;
  fail_at: number | null;
  active_count: number;
  active_run_no: number | null;
  active_at: number | null;
  /** The event that changed this row last. */
  changed_by: number;
}

interface PartitionActivityTable {
  asset_id: number;
  p_kind: number;
  p1: number;
  p2: number;
  run_no: number;
  step_key: string;
  at: number;
}

interface PartitionCountTable {
  asset_id: number;
  status: string;
  n: number;
}

interface AssetCheckTable {
  asset_id: number;
  check_name: string;
  p_kind: number;
  p1: number;
  p2: number;
  key_text_id: number | null;
  event_id: number;
  passed: number;
  severity: string;
  run_no: number;
  at: number;
}

interface CheckLatestTable {
  asset_id: number;
  check_name: string;
  event_id: number;
}

interface LeaseTable {
  run_no: number;
  step_key: string;
  fence: number;
  holder: string;
  expires: number;
  cancel: number;
  queue: string;
  timeout_ms: number | null;
  lease_ttl_ms: number;
}

interface PoolSlotTable {
  pool: string;
  run_no: number;
  step_key: string;
}

interface ScheduleStateTable {
  schedule_id: number;
  cursor: number;
  config_digest: string;
  override_status: string | null;
  override_by: string | null;
  override_at: number | null;
  override_reason: string | null;
  override_expires_at: number | null;
}

interface TickTable {
  schedule_id: number;
  at: number;
  status: string;
  reason: string;
  launch_id: string | null;
  recorded_at: number;
}

interface RevisionTable {
  revision_id: Generated<number>;
  component: string;
  commit_sha: string;
  branch: string;
  author: string;
  message: string;
  committed_at: number;
  digest: string;
  trigger_by: string;
  started_at: number;
  applied_at: number;
  pipelines: number;
  held: number;
  diagnostics: number;
  added: number;
  changed: number;
  removed: number;
  /** The snapshot without its pipelines. */
  header: string;
}

interface RevisionFolderTable {
  revision_id: number;
  position: number;
  pipeline_id: number;
  state_digest: string;
  commit_sha: string;
  status: string;
}

/** A pipeline's state without commit and status: folders that did not change share one row over all revisions. */
interface FolderStateTable {
  state_digest: string;
  tree_id: string;
  inputs_digest: string;
  body: string;
}

interface DiscoveryResultTable {
  inputs_digest: string;
  body: string;
  saved_at: number;
}

interface AuditTable {
  audit_id: Generated<number>;
  at: number;
  actor: string;
  action: string;
  target: string;
  details: string;
}

interface HeartbeatTable {
  daemon: string;
  at: number;
  status: string;
  last_error: string | null;
  iterations: number;
}

interface DeliveryTable {
  id: string;
  event: string;
  outcome: string;
  at: number;
}

export type RunRow = Selectable<RunTable>;
export type RunStepRow = Selectable<RunStepTable>;
export type AssetPartitionRow = Selectable<AssetPartitionTable>;
export type LeaseTableRow = Selectable<LeaseTable>;
export type RevisionTableRow = Selectable<RevisionTable>;

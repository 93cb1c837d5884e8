import { type Kysely, type RawBuilder, sql } from 'kysely';

/**
 * The identity rules (`ARCHITECTURE.md`, "Identity and storage"): surrogates with text as an alias, partitions as
 * integers, events unique by attempt and number and numbered in commit order, ticks unique by schedule and instant.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await identities(db);
  await runs(db);
  await log(db);
  await projections(db);
  await inFlight(db);
  await schedules(db);
  await components(db);
  await operations(db);
}

const CLUSTERED: RawBuilder<unknown> = sql`without rowid`;

async function identities(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('pipeline')
    .addColumn('pipeline_id', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('component', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addUniqueConstraint('pipeline_name', ['component', 'name'])
    .execute();
  await db.schema
    .createTable('partitions_definition')
    .addColumn('definition_id', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('digest', 'text', (c) => c.notNull().unique())
    .addColumn('body', 'text', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('asset')
    .addColumn('asset_id', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('key', 'text', (c) => c.notNull().unique())
    .addColumn('pipeline_id', 'integer', (c) => c.references('pipeline.pipeline_id'))
    .addColumn('definition_id', 'integer', (c) => c.references('partitions_definition.definition_id'))
    .execute();
  await db.schema
    .createTable('schedule')
    .addColumn('schedule_id', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('name', 'text', (c) => c.notNull().unique())
    .execute();
  for (const [table, id] of [
    ['static_key', 'static_key_id'],
    ['key_text', 'key_text_id'],
  ] as const) {
    await db.schema
      .createTable(table)
      .addColumn(id, 'integer', (c) => c.primaryKey().autoIncrement())
      .addColumn('text', 'text', (c) => c.notNull().unique())
      .execute();
  }
}

async function runs(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('launch')
    .addColumn('launch_id', 'text', (c) => c.primaryKey().notNull())
    .addColumn('idempotency_key', 'text', (c) => c.unique())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('run')
    .addColumn('run_no', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('run_id', 'text', (c) => c.notNull().unique())
    .addColumn('launch_id', 'text', (c) => c.notNull().references('launch.launch_id'))
    .addColumn('schedule_id', 'integer', (c) => c.references('schedule.schedule_id'))
    .addColumn('priority', 'integer', (c) => c.notNull())
    .addColumn('job_name', 'text', (c) => c.notNull())
    .addColumn('summary', 'text', (c) => c.notNull())
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('cancel_requested_by', 'text')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('started_at', 'bigint')
    .addColumn('ended_at', 'bigint')
    .addColumn('step_counts', 'text', (c) => c.notNull())
    .addColumn('error', 'text')
    .addColumn('pruned', 'integer', (c) => c.notNull().defaultTo(0))
    .execute();
  await index(db, 'run_status', 'run', ['status', 'run_no']);
  await index(db, 'run_launch', 'run', ['launch_id']);
  await db.schema
    .createIndex('run_unpruned')
    .on('run')
    .columns(['ended_at', 'pruned'])
    .where('pruned', '=', 0)
    .execute();
  await index(db, 'run_schedule', 'run', ['schedule_id', 'run_no']);
  await db.schema
    .createTable('run_plan')
    .addColumn('run_no', 'integer', (c) => c.primaryKey().references('run.run_no'))
    .addColumn('plan', 'text', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('run_asset')
    .addColumn('asset_id', 'integer', (c) => c.notNull().references('asset.asset_id'))
    .addColumn('run_no', 'integer', (c) => c.notNull().references('run.run_no'))
    .addPrimaryKeyConstraint('run_asset_pk', ['asset_id', 'run_no'])
    .modifyEnd(CLUSTERED)
    .execute();
  await db.schema
    .createTable('run_pipeline')
    .addColumn('pipeline_id', 'integer', (c) => c.notNull().references('pipeline.pipeline_id'))
    .addColumn('run_no', 'integer', (c) => c.notNull().references('run.run_no'))
    .addPrimaryKeyConstraint('run_pipeline_pk', ['pipeline_id', 'run_no'])
    .modifyEnd(CLUSTERED)
    .execute();
  await db.schema
    .createTable('run_step')
    .addColumn('run_no', 'integer', (c) => c.notNull().references('run.run_no'))
    .addColumn('step_key', 'text', (c) => c.notNull())
    .addColumn('position', 'integer', (c) => c.notNull())
    .addColumn('commit_sha', 'text', (c) => c.notNull())
    .addColumn('tree_id', 'text', (c) => c.notNull())
    .addColumn('content_digest', 'text', (c) => c.notNull())
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('attempt', 'integer', (c) => c.notNull())
    .addColumn('retries_spent', 'integer', (c) => c.notNull())
    .addColumn('lost_since', 'bigint')
    .addColumn('retry_at', 'bigint')
    .addColumn('dispatched_at', 'bigint')
    .addColumn('started_at', 'bigint')
    .addColumn('ended_at', 'bigint')
    .addColumn('finished_assets', 'text', (c) => c.notNull())
    .addColumn('error', 'text')
    .addPrimaryKeyConstraint('run_step_pk', ['run_no', 'step_key'])
    .modifyEnd(CLUSTERED)
    .execute();
  await db.schema
    .createTable('step_spec')
    .addColumn('run_no', 'integer', (c) => c.notNull().references('run.run_no'))
    .addColumn('step_key', 'text', (c) => c.notNull())
    .addColumn('spec', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('step_spec_pk', ['run_no', 'step_key'])
    .execute();
  await db.schema
    .createTable('step_asset')
    .addColumn('run_no', 'integer', (c) => c.notNull().references('run.run_no'))
    .addColumn('step_key', 'text', (c) => c.notNull())
    .addColumn('asset_id', 'integer', (c) => c.notNull().references('asset.asset_id'))
    .addColumn('definition_id', 'integer', (c) => c.references('partitions_definition.definition_id'))
    .addColumn('code_version', 'text', (c) => c.notNull())
    .addColumn('partition_keys', 'text', (c) => c.notNull())
    .addColumn('is_range', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('step_asset_pk', ['run_no', 'step_key', 'asset_id'])
    .execute();
}

async function log(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('event')
    .addColumn('event_id', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('run_no', 'integer', (c) => c.references('run.run_no'))
    .addColumn('step_key', 'text')
    .addColumn('attempt', 'integer')
    .addColumn('n', 'integer')
    .addColumn('type', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('payload', 'text', (c) => c.notNull())
    .execute();
  await index(db, 'event_run', 'event', ['run_no', 'event_id']);
  await db.schema
    .createIndex('event_attempt_n')
    .on('event')
    .columns(['run_no', 'step_key', 'attempt', 'n'])
    .unique()
    .where('n', 'is not', null)
    .execute();
}

async function projections(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('materialization')
    .addColumn('asset_id', 'integer', (c) => c.notNull())
    .addColumn('event_id', 'integer', (c) => c.notNull())
    .addColumn('p_kind', 'integer', (c) => c.notNull())
    .addColumn('p1', 'bigint', (c) => c.notNull())
    .addColumn('p2', 'bigint', (c) => c.notNull())
    .addColumn('key_text_id', 'integer')
    .addColumn('run_no', 'integer', (c) => c.notNull())
    .addColumn('step_key', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('materialization_pk', ['asset_id', 'event_id', 'p_kind', 'p1', 'p2'])
    .modifyEnd(CLUSTERED)
    .execute();
  await index(db, 'materialization_partition', 'materialization', [
    'asset_id',
    'p_kind',
    'p1',
    'p2',
    'event_id',
  ]);
  await index(db, 'materialization_run', 'materialization', ['run_no']);
  await db.schema
    .createTable('asset_partition')
    .addColumn('asset_id', 'integer', (c) => c.notNull())
    .addColumn('p_kind', 'integer', (c) => c.notNull())
    .addColumn('p1', 'bigint', (c) => c.notNull())
    .addColumn('p2', 'bigint', (c) => c.notNull())
    .addColumn('key_text_id', 'integer', (c) => c.notNull())
    .addColumn('label_id', 'integer', (c) => c.notNull())
    .addColumn('orphan', 'integer', (c) => c.notNull())
    .addColumn('status', 'text')
    .addColumn('mat_event_id', 'integer')
    .addColumn('mat_run_no', 'integer')
    .addColumn('mat_at', 'bigint')
    .addColumn('fail_event_id', 'integer')
    .addColumn('fail_run_no', 'integer')
    .addColumn('fail_at', 'bigint')
    .addColumn('active_count', 'integer', (c) => c.notNull())
    .addColumn('active_run_no', 'integer')
    .addColumn('active_at', 'bigint')
    .addPrimaryKeyConstraint('asset_partition_pk', ['asset_id', 'p_kind', 'p1', 'p2'])
    .modifyEnd(CLUSTERED)
    .execute();
  await index(db, 'asset_partition_mat', 'asset_partition', ['mat_event_id']);
  await index(db, 'asset_partition_fail', 'asset_partition', ['fail_event_id']);
  await db.schema
    .createTable('partition_activity')
    .addColumn('asset_id', 'integer', (c) => c.notNull())
    .addColumn('p_kind', 'integer', (c) => c.notNull())
    .addColumn('p1', 'bigint', (c) => c.notNull())
    .addColumn('p2', 'bigint', (c) => c.notNull())
    .addColumn('run_no', 'integer', (c) => c.notNull())
    .addColumn('step_key', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('partition_activity_pk', [
      'asset_id',
      'p_kind',
      'p1',
      'p2',
      'run_no',
      'step_key',
    ])
    .modifyEnd(CLUSTERED)
    .execute();
  await index(db, 'partition_activity_step', 'partition_activity', ['run_no', 'step_key', 'asset_id']);
  await db.schema
    .createTable('partition_count')
    .addColumn('asset_id', 'integer', (c) => c.notNull())
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('n', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('partition_count_pk', ['asset_id', 'status'])
    .modifyEnd(CLUSTERED)
    .execute();
  await db.schema
    .createTable('asset_check')
    .addColumn('asset_id', 'integer', (c) => c.notNull())
    .addColumn('check_name', 'text', (c) => c.notNull())
    .addColumn('p_kind', 'integer', (c) => c.notNull())
    .addColumn('p1', 'bigint', (c) => c.notNull())
    .addColumn('p2', 'bigint', (c) => c.notNull())
    .addColumn('key_text_id', 'integer')
    .addColumn('event_id', 'integer', (c) => c.notNull().unique())
    .addColumn('passed', 'integer', (c) => c.notNull())
    .addColumn('severity', 'text', (c) => c.notNull())
    .addColumn('run_no', 'integer', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('asset_check_pk', ['asset_id', 'check_name', 'p_kind', 'p1', 'p2'])
    .modifyEnd(CLUSTERED)
    .execute();
  await db.schema
    .createTable('check_latest')
    .addColumn('asset_id', 'integer', (c) => c.notNull())
    .addColumn('check_name', 'text', (c) => c.notNull())
    .addColumn('event_id', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('check_latest_pk', ['asset_id', 'check_name'])
    .modifyEnd(CLUSTERED)
    .execute();
}

async function inFlight(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('lease')
    .addColumn('run_no', 'integer', (c) => c.notNull().references('run.run_no'))
    .addColumn('step_key', 'text', (c) => c.notNull())
    .addColumn('fence', 'integer', (c) => c.notNull())
    .addColumn('holder', 'text', (c) => c.notNull())
    .addColumn('expires', 'bigint', (c) => c.notNull())
    .addColumn('cancel', 'integer', (c) => c.notNull())
    .addColumn('queue', 'text', (c) => c.notNull())
    .addColumn('timeout_ms', 'bigint')
    .addColumn('lease_ttl_ms', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('lease_pk', ['run_no', 'step_key'])
    .execute();
  await db.schema
    .createTable('pool_slot')
    .addColumn('pool', 'text', (c) => c.notNull())
    .addColumn('run_no', 'integer', (c) => c.notNull().references('run.run_no'))
    .addColumn('step_key', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('pool_slot_pk', ['run_no', 'step_key', 'pool'])
    .execute();
}

async function schedules(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('schedule_state')
    .addColumn('schedule_id', 'integer', (c) => c.primaryKey().references('schedule.schedule_id'))
    .addColumn('cursor', 'bigint', (c) => c.notNull())
    .addColumn('config_digest', 'text', (c) => c.notNull())
    .addColumn('override_status', 'text')
    .addColumn('override_by', 'text')
    .addColumn('override_at', 'bigint')
    .execute();
  await db.schema
    .createTable('tick')
    .addColumn('schedule_id', 'integer', (c) => c.notNull().references('schedule.schedule_id'))
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('reason', 'text', (c) => c.notNull())
    .addColumn('launch_id', 'text', (c) => c.references('launch.launch_id'))
    .addColumn('recorded_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('tick_pk', ['schedule_id', 'at'])
    .modifyEnd(CLUSTERED)
    .execute();
}

async function components(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('revision')
    .addColumn('revision_id', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('component', 'text', (c) => c.notNull())
    .addColumn('commit_sha', 'text', (c) => c.notNull())
    .addColumn('branch', 'text', (c) => c.notNull())
    .addColumn('author', 'text', (c) => c.notNull())
    .addColumn('message', 'text', (c) => c.notNull())
    .addColumn('committed_at', 'bigint', (c) => c.notNull())
    .addColumn('digest', 'text', (c) => c.notNull())
    .addColumn('trigger_by', 'text', (c) => c.notNull())
    .addColumn('started_at', 'bigint', (c) => c.notNull())
    .addColumn('applied_at', 'bigint', (c) => c.notNull())
    .addColumn('pipelines', 'integer', (c) => c.notNull())
    .addColumn('held', 'integer', (c) => c.notNull())
    .addColumn('diagnostics', 'integer', (c) => c.notNull())
    .addColumn('added', 'integer', (c) => c.notNull())
    .addColumn('changed', 'integer', (c) => c.notNull())
    .addColumn('removed', 'integer', (c) => c.notNull())
    .addColumn('header', 'text', (c) => c.notNull())
    .execute();
  await index(db, 'revision_component', 'revision', ['component', 'revision_id']);
  await index(db, 'revision_commit', 'revision', ['component', 'commit_sha']);
  await db.schema
    .createTable('folder_state')
    .addColumn('state_digest', 'text', (c) => c.primaryKey().notNull())
    .addColumn('tree_id', 'text', (c) => c.notNull())
    .addColumn('inputs_digest', 'text', (c) => c.notNull())
    .addColumn('body', 'text', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('revision_folder')
    .addColumn('revision_id', 'integer', (c) => c.notNull().references('revision.revision_id'))
    .addColumn('position', 'integer', (c) => c.notNull())
    .addColumn('pipeline_id', 'integer', (c) => c.notNull().references('pipeline.pipeline_id'))
    .addColumn('state_digest', 'text', (c) => c.notNull().references('folder_state.state_digest'))
    .addColumn('commit_sha', 'text', (c) => c.notNull())
    .addColumn('status', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('revision_folder_pk', ['revision_id', 'position'])
    .execute();
  await index(db, 'revision_folder_state', 'revision_folder', ['state_digest']);
  await db.schema
    .createTable('discovery_result')
    .addColumn('inputs_digest', 'text', (c) => c.primaryKey().notNull())
    .addColumn('body', 'text', (c) => c.notNull())
    .addColumn('saved_at', 'bigint', (c) => c.notNull())
    .execute();
}

async function operations(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('audit')
    .addColumn('audit_id', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('actor', 'text', (c) => c.notNull())
    .addColumn('action', 'text', (c) => c.notNull())
    .addColumn('target', 'text', (c) => c.notNull())
    .addColumn('details', 'text', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('heartbeat')
    .addColumn('daemon', 'text', (c) => c.primaryKey().notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('last_error', 'text')
    .addColumn('iterations', 'integer', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('delivery')
    .addColumn('id', 'text', (c) => c.primaryKey().notNull())
    .addColumn('event', 'text', (c) => c.notNull())
    .addColumn('outcome', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .execute();
  await index(db, 'delivery_at', 'delivery', ['at']);
}

async function index(db: Kysely<unknown>, name: string, table: string, columns: string[]): Promise<void> {
  await db.schema.createIndex(name).on(table).columns(columns).execute();
}

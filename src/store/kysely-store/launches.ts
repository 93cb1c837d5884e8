import { initialRunState } from '../../events/run-state.ts';
import { invariant } from '../../lib/invariant.ts';
import type { PartitionSelection, PlannedAsset, RunPlan, StepPlan } from '../../plan/run-plan.ts';
import type { StepSpec } from '../../plan/step-spec.ts';
import type { LaunchRecord } from '../store.ts';
import { inheritBackfillItem } from './backfill-items.ts';
import type { StoreContext, Tx } from './context.ts';
import { appendEvent } from './event-log.ts';
import { ensureAssets, ensureDefinition, ensurePipelines, ensureSchedule } from './identities.ts';
import { chunks } from './json.ts';
import { runColumns, stepColumns } from './run-record.ts';

const CHUNK = 500;

export type SpecsOf = (plan: RunPlan) => Readonly<Record<string, StepSpec>>;

/** The launch that has this key or this id, if there is one. */
export async function findLaunch(
  { db }: StoreContext | Tx,
  launchId: string,
  idempotencyKey: string | undefined,
): Promise<LaunchRecord | null> {
  const found = await db
    .selectFrom('launch')
    .select('launch_id')
    .where((eb) =>
      idempotencyKey === undefined
        ? eb('launch_id', '=', launchId)
        : eb.or([eb('launch_id', '=', launchId), eb('idempotency_key', '=', idempotencyKey)]),
    )
    .limit(1)
    .executeTakeFirst();
  if (found === undefined) return null;
  return {
    launchId: found.launch_id,
    runIds: await runIdsOf(db, found.launch_id),
    created: false,
  };
}

export async function runIdsOf(db: StoreContext['db'], launchId: string): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('run')
    .select('run_id')
    .where('launch_id', '=', launchId)
    .orderBy('run_no')
    .execute();
  return rows.map((row) => row.run_id);
}

/** A launch with all its runs, steps and specs; the caller knows that it is new. */
export async function insertLaunch(
  tx: Tx,
  plans: readonly RunPlan[],
  specs: SpecsOf,
  idempotencyKey: string | undefined,
): Promise<LaunchRecord> {
  const launchId = plans[0]?.launchId;
  invariant(launchId !== undefined, 'a launch needs a plan');
  invariant(
    plans.every((plan) => plan.launchId === launchId),
    `the plans of a launch carry its id ${launchId}`,
  );
  await tx.db
    .insertInto('launch')
    .values({ launch_id: launchId, idempotency_key: idempotencyKey ?? null, created_at: tx.now })
    .execute();
  for (const plan of plans) await insertRun(tx, plan, specs(plan));
  return { launchId, runIds: plans.map((plan) => plan.runId), created: true };
}

async function insertRun(tx: Tx, plan: RunPlan, specs: Readonly<Record<string, StepSpec>>): Promise<void> {
  const state = initialRunState(plan, tx.now);
  const { run_no: runNo } = await tx.db
    .insertInto('run')
    .values({
      run_id: plan.runId,
      launch_id: plan.launchId,
      schedule_id: await scheduleOf(tx, plan),
      priority: plan.priority,
      job_name: plan.jobName,
      summary: JSON.stringify(summaryOf(plan)),
      created_at: tx.now,
      pruned: 0,
      ...runColumns(state),
    })
    .returning('run_no')
    .executeTakeFirstOrThrow();
  await inheritBackfillItem(tx, runNo, plan);
  await tx.db
    .insertInto('run_plan')
    .values({ run_no: runNo, plan: JSON.stringify(plan) })
    .execute();
  for (const [position, step] of plan.steps.entries()) {
    const spec = specs[step.stepKey];
    invariant(spec !== undefined, `step ${step.stepKey} of run ${plan.runId} has no spec`);
    await tx.db
      .insertInto('run_step')
      .values({
        run_no: runNo,
        step_key: step.stepKey,
        position,
        commit_sha: step.code.commit,
        tree_id: step.code.treeId,
        content_digest: step.code.contentDigest,
        ...stepColumns(state.steps[step.stepKey]!),
      })
      .execute();
    await tx.db
      .insertInto('step_spec')
      .values({ run_no: runNo, step_key: step.stepKey, spec: JSON.stringify(spec) })
      .execute();
  }
  await insertAssets(tx, runNo, plan, specs);
  await appendEvent(tx, { runNo, stepKey: null, attempt: null, n: null, event: { type: 'run_enqueued' } });
}

async function insertAssets(
  tx: Tx,
  runNo: number,
  plan: RunPlan,
  specs: Readonly<Record<string, StepSpec>>,
): Promise<void> {
  const assetIds = await ensureAssets(
    tx,
    plan.steps.flatMap((step) => step.assets.map((asset) => asset.key)),
  );
  const current = await currentDefinitions(tx, [...assetIds.values()]);
  const stepAssets = [];
  const pipelineIds = new Set<number>();
  for (const step of plan.steps) {
    const pipelineId = (await ensurePipelines(tx, step.component, [step.pipeline])).get(step.pipeline)!;
    pipelineIds.add(pipelineId);
    for (const asset of step.assets) {
      const assetId = assetIds.get(asset.key)!;
      stepAssets.push({
        run_no: runNo,
        step_key: step.stepKey,
        asset_id: assetId,
        definition_id: await definitionFor(tx, asset, current.get(assetId) ?? null, specs[step.stepKey]),
        code_version: asset.codeVersion,
        ...keyColumns(asset.partitions, step),
      });
    }
  }
  for (const some of chunks(stepAssets, CHUNK)) {
    await tx.db
      .insertInto('step_asset')
      .values([...some])
      .execute();
    await tx.db
      .insertInto('run_asset')
      .values(some.map(({ asset_id }) => ({ asset_id, run_no: runNo })))
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
  for (const pipelineId of pipelineIds) {
    await tx.db.insertInto('run_pipeline').values({ pipeline_id: pipelineId, run_no: runNo }).execute();
  }
}

async function currentDefinitions(tx: Tx, assetIds: readonly number[]): Promise<Map<number, number | null>> {
  const found = new Map<number, number | null>();
  for (const some of chunks(assetIds, CHUNK)) {
    const rows = await tx.db
      .selectFrom('asset')
      .select(['asset_id', 'definition_id'])
      .where('asset_id', 'in', some)
      .execute();
    for (const row of rows) found.set(row.asset_id, row.definition_id);
  }
  return found;
}

/** By which definition the keys of a plan are read: the plan's own, else today's of the asset, else its folder's. */
async function definitionFor(
  tx: Tx,
  asset: PlannedAsset,
  current: number | null,
  spec: StepSpec | undefined,
): Promise<number | null> {
  if (asset.partitionsDefinition !== undefined) return ensureDefinition(tx, asset.partitionsDefinition);
  if (current !== null) return current;
  const ofFolder = spec?.config.partitions;
  return ofFolder === undefined || asset.partitions.kind === 'none' ? null : ensureDefinition(tx, ofFolder);
}

function keyColumns(
  partitions: PartitionSelection,
  step: StepPlan,
): { partition_keys: string; is_range: number } {
  switch (partitions.kind) {
    case 'none':
      return { partition_keys: '[]', is_range: 0 };
    case 'key':
      return { partition_keys: JSON.stringify([partitions.key]), is_range: 0 };
    case 'keys':
      return { partition_keys: JSON.stringify(partitions.keys), is_range: 0 };
    case 'range':
      return isSpelledOut(partitions, step)
        ? { partition_keys: JSON.stringify(step.partitionKeys), is_range: 0 }
        : { partition_keys: JSON.stringify([partitions.start, partitions.end]), is_range: 1 };
  }
}

/** A plan spells out at most 1,000 keys; of a longer range it has the ends only. */
function isSpelledOut(range: { readonly start: string; readonly end: string }, step: StepPlan): boolean {
  const { partitions, partitionKeys } = step;
  return (
    partitions.kind === 'range' &&
    partitions.start === range.start &&
    partitions.end === range.end &&
    partitionKeys.length > 2
  );
}

/** The schedule that a run belongs to: an automatic re-run is still its schedule's work. */
async function scheduleOf(tx: Tx, { cause }: RunPlan): Promise<number | null> {
  if (cause.kind === 'schedule') return ensureSchedule(tx, cause.schedule);
  if (cause.kind !== 'run_retry') return null;
  const row = await tx.db
    .selectFrom('run')
    .select('schedule_id')
    .where('run_id', '=', cause.runId)
    .executeTakeFirst();
  return row?.schedule_id ?? null;
}

/** The fixed part of a `RunSummary`. */
export interface StoredSummary {
  readonly cause: RunPlan['cause'];
  readonly tags: RunPlan['tags'];
  readonly assetKeys: readonly string[];
  readonly partitions: PartitionSelection;
  readonly commits: readonly { readonly component: string; readonly commit: string }[];
}

function summaryOf(plan: RunPlan): StoredSummary {
  const commits = new Map<string, { component: string; commit: string }>();
  for (const { code } of plan.steps) {
    commits.set(`${code.component}\n${code.commit}`, { component: code.component, commit: code.commit });
  }
  return {
    cause: plan.cause,
    tags: plan.tags,
    assetKeys: plan.steps.flatMap((step) => step.assets.map((asset) => asset.key)),
    partitions: plan.partitions,
    commits: [...commits.values()],
  };
}

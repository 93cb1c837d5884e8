import { initialRunState, type RunState } from '../../events/run-state.ts';
import { invariant } from '../../lib/invariant.ts';
import type { PartitionsDefinition } from '../../partitions/definition/partitions-definition.ts';
import type { PartitionSelection, PlannedAsset, RunPlan, StepPlan } from '../../plan/run-plan.ts';
import type { StepSpec } from '../../plan/step-spec.ts';
import type { LaunchRecord } from '../store.ts';
import { inheritBackfillItem } from './backfill-items.ts';
import type { StoreContext, Tx } from './context.ts';
import { appendEvents } from './event-log.ts';
import { ensureAssets, ensureDefinition, ensurePipelines, ensureSchedules } from './identities.ts';
import { chunks } from './json.ts';
import { runColumns, stepColumns } from './run-record.ts';

const CHUNK = 250;

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

/** A launch to insert, with all its runs. */
export interface NewLaunch {
  readonly plans: readonly RunPlan[];
  readonly specs: SpecsOf;
  readonly idempotencyKey: string | undefined;
}

/** A launch with all its runs, steps and specs; the caller knows that it is new. */
export async function insertLaunch(
  tx: Tx,
  plans: readonly RunPlan[],
  specs: SpecsOf,
  idempotencyKey: string | undefined,
): Promise<LaunchRecord> {
  return (await insertLaunches(tx, [{ plans, specs, idempotencyKey }]))[0] as LaunchRecord;
}

/** Many of them: a statement for some hundred rows of a table, in the order given. */
export async function insertLaunches(tx: Tx, launches: readonly NewLaunch[]): Promise<LaunchRecord[]> {
  const records = launches.map(({ plans }): LaunchRecord => {
    const launchId = plans[0]?.launchId;
    invariant(launchId !== undefined, 'a launch needs a plan');
    invariant(
      plans.every((plan) => plan.launchId === launchId),
      `the plans of a launch carry its id ${launchId}`,
    );
    return { launchId, runIds: plans.map((plan) => plan.runId), created: true };
  });
  for (const some of chunks(launches, CHUNK)) {
    const rows = some.map(({ plans, idempotencyKey }) => ({
      launch_id: plans[0]?.launchId as string,
      idempotency_key: idempotencyKey ?? null,
      created_at: tx.now,
    }));
    await tx.db.insertInto('launch').values(rows).execute();
  }
  const runs = await insertRuns(tx, launches);
  await insertSteps(tx, runs);
  await insertAssets(tx, runs);
  await appendEvents(
    tx,
    runs.map(({ runNo }) => ({ runNo, event: { type: 'run_enqueued' } })),
  );
  return records;
}

/** A run that has its row. */
interface NewRun {
  readonly runNo: number;
  readonly plan: RunPlan;
  readonly state: RunState;
  readonly specs: Readonly<Record<string, StepSpec>>;
}

async function insertRuns(tx: Tx, launches: readonly NewLaunch[]): Promise<NewRun[]> {
  const planned = launches.flatMap(({ plans, specs }) =>
    plans.map((plan) => ({ plan, specs: specs(plan), state: initialRunState(plan, tx.now) })),
  );
  const schedules = await schedulesOf(
    tx,
    planned.map(({ plan }) => plan),
  );
  const numbers = new Map<string, number>();
  for (const some of chunks(planned, CHUNK)) {
    const rows = await tx.db
      .insertInto('run')
      .values(
        some.map(({ plan, state }) => ({
          run_id: plan.runId,
          launch_id: plan.launchId,
          schedule_id: schedules.get(plan.runId) ?? null,
          priority: plan.priority,
          job_name: plan.jobName,
          summary: JSON.stringify(summaryOf(plan)),
          created_at: tx.now,
          pruned: 0,
          ...runColumns(state),
        })),
      )
      .returning(['run_no', 'run_id'])
      .execute();
    for (const row of rows) numbers.set(row.run_id, row.run_no);
  }
  const runs = planned.map((one) => ({ ...one, runNo: numbers.get(one.plan.runId) as number }));
  for (const { runNo, plan } of runs) await inheritBackfillItem(tx, runNo, plan);
  for (const some of chunks(runs, CHUNK)) {
    const rows = some.map(({ runNo, plan }) => ({ run_no: runNo, plan: JSON.stringify(plan) }));
    await tx.db.insertInto('run_plan').values(rows).execute();
  }
  return runs;
}

async function insertSteps(tx: Tx, runs: readonly NewRun[]): Promise<void> {
  const steps = runs.flatMap(({ runNo, plan, state, specs }) =>
    plan.steps.map((step, position) => {
      const spec = specs[step.stepKey];
      invariant(spec !== undefined, `step ${step.stepKey} of run ${plan.runId} has no spec`);
      return { runNo, step, position, own: state.steps[step.stepKey]!, spec };
    }),
  );
  for (const some of chunks(steps, CHUNK)) {
    const rows = some.map(({ runNo, step, position, own }) => ({
      run_no: runNo,
      step_key: step.stepKey,
      position,
      commit_sha: step.code.commit,
      tree_id: step.code.treeId,
      content_digest: step.code.contentDigest,
      ...stepColumns(own),
    }));
    await tx.db.insertInto('run_step').values(rows).execute();
    const specs = some.map(({ runNo, step, spec }) => ({
      run_no: runNo,
      step_key: step.stepKey,
      spec: JSON.stringify(spec),
    }));
    await tx.db.insertInto('step_spec').values(specs).execute();
  }
}

async function insertAssets(tx: Tx, runs: readonly NewRun[]): Promise<void> {
  const steps = runs.flatMap((run) => run.plan.steps.map((step) => ({ run, step })));
  const assetIds = await ensureAssets(
    tx,
    steps.flatMap(({ step }) => step.assets.map((asset) => asset.key)),
  );
  const current = await currentDefinitions(tx, [...assetIds.values()]);
  const pipelineIds = await pipelinesOf(
    tx,
    steps.map(({ step }) => step),
  );
  const definitionIds = new Map<PartitionsDefinition, number>();
  const stepAssets = [];
  const runPipelines = new Map<string, { run_no: number; pipeline_id: number }>();
  for (const { run, step } of steps) {
    const pipelineId = pipelineIds.get(step.component)?.get(step.pipeline) as number;
    runPipelines.set(`${run.runNo}:${pipelineId}`, { run_no: run.runNo, pipeline_id: pipelineId });
    for (const asset of step.assets) {
      const assetId = assetIds.get(asset.key)!;
      const known = current.get(assetId) ?? null;
      const definition = definitionFor(asset, known, run.specs[step.stepKey]);
      let definitionId = definition === null ? known : definitionIds.get(definition);
      if (definition !== null && definitionId === undefined) {
        definitionId = await ensureDefinition(tx, definition);
        definitionIds.set(definition, definitionId);
      }
      stepAssets.push({
        run_no: run.runNo,
        step_key: step.stepKey,
        asset_id: assetId,
        definition_id: definitionId ?? null,
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
      .values(some.map(({ asset_id, run_no }) => ({ asset_id, run_no })))
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
  for (const some of chunks([...runPipelines.values()], CHUNK)) {
    await tx.db
      .insertInto('run_pipeline')
      .values([...some])
      .execute();
  }
}

/** Pipeline ids by component and name. */
async function pipelinesOf(
  tx: Tx,
  steps: readonly StepPlan[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, number>>> {
  const names = new Map<string, string[]>();
  for (const { component, pipeline } of steps) {
    const known = names.get(component);
    if (known === undefined) names.set(component, [pipeline]);
    else known.push(pipeline);
  }
  const ids = new Map<string, ReadonlyMap<string, number>>();
  for (const [component, some] of names)
    ids.set(component, await ensurePipelines(tx, component, [...new Set(some)]));
  return ids;
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

/**
 * By which definition the keys of a plan are read: the plan's own, else today's of the asset (`current`), else its
 * folder's. Null: `current`, whatever it is.
 */
function definitionFor(
  asset: PlannedAsset,
  current: number | null,
  spec: StepSpec | undefined,
): PartitionsDefinition | null {
  if (asset.partitionsDefinition !== undefined) return asset.partitionsDefinition;
  if (current !== null || asset.partitions.kind === 'none') return null;
  return spec?.config.partitions ?? null;
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

/** The schedule that a run belongs to, by run id: an automatic re-run is still its schedule's work. */
async function schedulesOf(tx: Tx, plans: readonly RunPlan[]): Promise<ReadonlyMap<string, number>> {
  const names = plans.flatMap(({ cause }) => (cause.kind === 'schedule' ? [cause.schedule] : []));
  const ids = await ensureSchedules(tx, names);
  const found = new Map<string, number>();
  for (const { runId, cause } of plans) {
    if (cause.kind === 'schedule') found.set(runId, ids.get(cause.schedule) as number);
    if (cause.kind !== 'run_retry') continue;
    const row = await tx.db
      .selectFrom('run')
      .select('schedule_id')
      .where('run_id', '=', cause.runId)
      .executeTakeFirst();
    if (row?.schedule_id != null) found.set(runId, row.schedule_id);
  }
  return found;
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

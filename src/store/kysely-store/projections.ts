import { reduceRun } from '../../events/reduce-run.ts';
import type { EngineEvent, LoggedEvent, StepResult } from '../../events/run-event.ts';
import { type RunState, type StepState, TERMINAL_RUN, TERMINAL_STEP } from '../../events/run-state.ts';
import type { CheckEvent, MaterializationEvent } from '../../events/step-event.ts';
import type { Instant } from '../../lib/clock.ts';
import { showResult } from './check-latest.ts';
import type { Tx } from './context.ts';
import { ensureAssets, ensureTexts } from './identities.ts';
import { chunks } from './json.ts';
import { type NamedPartition, type PartitionId, UNPARTITIONED } from './partition-keys.ts';
import { changePartitions, deactivatePartitions } from './partition-rows.ts';
import { namedPartition, plannedPartitions, type StepAsset, stepAssets } from './step-partitions.ts';

const CHUNK = 500;

/** A row of a run's log, as projections see it. */
export interface RunLogEntry {
  readonly eventId: number;
  readonly runNo: number;
  readonly stepKey: string | null;
  readonly attempt: number | null;
  readonly at: Instant;
  readonly event: LoggedEvent;
}

const NOT_OF_THE_RUN: ReadonlySet<string> = new Set([
  'materialization',
  'check',
  'progress',
  'stage_start',
  'stage_end',
  'log',
  'other',
]);

export function isRunEvent(event: LoggedEvent): event is EngineEvent | StepResult {
  return !NOT_OF_THE_RUN.has(event.type);
}

/** What assets and partitions learn of one move of a run's state. The rows of the run itself are saved by the caller. */
export async function projectRunChange(
  tx: Tx,
  entry: RunLogEntry,
  before: RunState,
  after: RunState,
): Promise<void> {
  for (const step of Object.values(after.steps)) {
    const earlier = before.steps[step.stepKey];
    if (earlier !== undefined && earlier !== step) await projectStepChange(tx, entry, earlier, step);
  }
  if (TERMINAL_RUN.has(after.status) && !TERMINAL_RUN.has(before.status)) await deactivate(tx, entry);
}

/** The state after one more event; its effects on assets are written. */
export async function projectRunEvent(
  tx: Tx,
  entry: RunLogEntry & { readonly event: EngineEvent | StepResult },
  state: RunState,
): Promise<RunState> {
  const { event, stepKey, attempt, at } = entry;
  const next = reduceRun(state, { event, stepKey, attempt, at });
  if (next !== state) await projectRunChange(tx, entry, state, next);
  return next;
}

/** Materializations and check results; other reports of a step have no projection. */
export async function projectStepReport(tx: Tx, entry: RunLogEntry): Promise<void> {
  if (entry.event.type === 'materialization') await projectMaterialization(tx, entry, entry.event);
  else if (entry.event.type === 'check') await projectCheck(tx, entry, entry.event);
}

async function projectMaterialization(
  tx: Tx,
  entry: RunLogEntry,
  event: MaterializationEvent,
): Promise<void> {
  const asset = await reportedAsset(tx, entry, event.asset_key);
  const partitions =
    event.partition == null
      ? await plannedPartitions(tx, asset)
      : [await namedPartition(tx, asset, event.partition)];
  const texts = await ensureTexts(
    tx,
    'key_text',
    partitions.map(({ text }) => text),
  );
  for (const some of chunks(partitions, CHUNK)) {
    await tx.db
      .insertInto('materialization')
      .values(
        some.map((partition) => ({
          asset_id: asset.assetId,
          event_id: entry.eventId,
          ...columns(partition),
          key_text_id: partition === UNPARTITIONED ? null : (texts.get(partition.text) as number),
          run_no: entry.runNo,
          step_key: entry.stepKey ?? '',
          at: entry.at,
        })),
      )
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
  await changePartitions(tx, asset.assetId, partitions, {
    kind: 'materialized',
    eventId: entry.eventId,
    runNo: entry.runNo,
    at: entry.at,
  });
}

async function projectCheck(tx: Tx, entry: RunLogEntry, event: CheckEvent): Promise<void> {
  const asset = await reportedAsset(tx, entry, event.asset_key);
  const partition =
    event.partition == null ? UNPARTITIONED : await namedPartition(tx, asset, event.partition);
  const texts = await ensureTexts(tx, 'key_text', [partition.text]);
  const check = { assetId: asset.assetId, name: event.check_name };
  const before = await tx.db
    .selectFrom('asset_check')
    .select('passed')
    .where('asset_id', '=', check.assetId)
    .where('check_name', '=', check.name)
    .where('p_kind', '=', partition.pKind)
    .where('p1', '=', partition.p1)
    .where('p2', '=', partition.p2)
    .executeTakeFirst();
  await tx.db
    .insertInto('asset_check')
    .values({
      asset_id: asset.assetId,
      check_name: event.check_name,
      ...columns(partition),
      key_text_id: partition === UNPARTITIONED ? null : texts.get(partition.text),
      event_id: entry.eventId,
      passed: event.passed ? 1 : 0,
      severity: event.severity,
      run_no: entry.runNo,
      at: entry.at,
    })
    .onConflict((conflict) =>
      conflict.columns(['asset_id', 'check_name', 'p_kind', 'p1', 'p2']).doUpdateSet((eb) => ({
        key_text_id: eb.ref('excluded.key_text_id'),
        event_id: eb.ref('excluded.event_id'),
        passed: eb.ref('excluded.passed'),
        severity: eb.ref('excluded.severity'),
        run_no: eb.ref('excluded.run_no'),
        at: eb.ref('excluded.at'),
      })),
    )
    .execute();
  await showResult(tx, check, {
    eventId: entry.eventId,
    passed: event.passed,
    isWhole: partition === UNPARTITIONED,
    hadFailed: before?.passed === 0,
  });
}

/** An asset that a script reports although the plan does not have it counts as unpartitioned work of this step. */
async function reportedAsset(tx: Tx, entry: RunLogEntry, key: string): Promise<StepAsset> {
  const planned = await stepAssets(tx, entry.runNo, entry.stepKey ?? '');
  const found = planned.find((asset) => asset.key === key);
  if (found !== undefined) return found;
  const ids = await ensureAssets(tx, [key]);
  return {
    assetId: ids.get(key) as number,
    key,
    definitionId: null,
    keys: [],
    isRange: false,
    plannedAt: entry.at,
  };
}

/**
 * A partition is in progress from the first dispatch of the step that writes it until the step ends or has written the
 * asset, retries and lost attempts in between included. It has failed when the step gave up.
 */
async function projectStepChange(
  tx: Tx,
  entry: RunLogEntry,
  before: StepState,
  after: StepState,
): Promise<void> {
  const wasActive = isActive(before);
  const active = isActive(after);
  if (active && !wasActive) await activate(tx, entry, after);
  if (!wasActive) return;
  if (!active) {
    if (after.status === 'failed') await fail(tx, entry, after);
    await deactivate(tx, entry, after.stepKey);
    return;
  }
  const finished = after.finishedAssets.filter((key) => !before.finishedAssets.includes(key));
  if (finished.length > 0) await deactivate(tx, entry, after.stepKey, finished);
}

function isActive(step: StepState): boolean {
  return step.attempt > 0 && !TERMINAL_STEP.has(step.status);
}

async function activate(tx: Tx, entry: RunLogEntry, step: StepState): Promise<void> {
  for (const asset of await stepAssets(tx, entry.runNo, step.stepKey)) {
    const partitions = await plannedPartitions(tx, asset);
    for (const some of chunks(partitions, CHUNK)) {
      await tx.db
        .insertInto('partition_activity')
        .values(
          some.map((partition) => ({
            asset_id: asset.assetId,
            ...columns(partition),
            run_no: entry.runNo,
            step_key: step.stepKey,
            at: entry.at,
          })),
        )
        .execute();
    }
    await changePartitions(tx, asset.assetId, partitions, {
      kind: 'activated',
      eventId: entry.eventId,
      runNo: entry.runNo,
      at: entry.at,
    });
  }
}

async function fail(tx: Tx, entry: RunLogEntry, step: StepState): Promise<void> {
  for (const asset of await stepAssets(tx, entry.runNo, step.stepKey)) {
    if (step.finishedAssets.includes(asset.key)) continue;
    await changePartitions(tx, asset.assetId, await plannedPartitions(tx, asset), {
      kind: 'failed',
      eventId: entry.eventId,
      runNo: entry.runNo,
      at: entry.at,
    });
  }
}

async function deactivate(
  tx: Tx,
  entry: RunLogEntry,
  stepKey?: string,
  assetKeys?: readonly string[],
): Promise<void> {
  let query = tx.db
    .deleteFrom('partition_activity')
    .where('run_no', '=', entry.runNo)
    .returning(['asset_id', 'p_kind', 'p1', 'p2']);
  if (stepKey !== undefined) query = query.where('step_key', '=', stepKey);
  if (assetKeys !== undefined) {
    query = query.where('asset_id', 'in', (eb) =>
      eb.selectFrom('asset').select('asset_id').where('key', 'in', assetKeys),
    );
  }
  const byAsset = new Map<number, PartitionId[]>();
  for (const row of await query.execute()) {
    const partitions = byAsset.get(row.asset_id) ?? [];
    partitions.push({ pKind: row.p_kind, p1: row.p1, p2: row.p2 });
    byAsset.set(row.asset_id, partitions);
  }
  for (const [assetId, partitions] of byAsset) {
    await deactivatePartitions(tx, assetId, partitions, entry);
  }
}

function columns({ pKind, p1, p2 }: NamedPartition): { p_kind: number; p1: number; p2: number } {
  return { p_kind: pKind, p1, p2 };
}

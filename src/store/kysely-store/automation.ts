import type { Explanation } from '../../automation/explanation.ts';
import type { AutomationStore, EvaluationRow, NewEvaluation } from '../automation-store.ts';
import type { AutomationEvaluationRow } from './automation-schema.ts';
import { createAutomationLook } from './automation-view.ts';
import { insertBackfill } from './backfills.ts';
import type { StoreContext, Tx } from './context.ts';
import { appendEvent } from './event-log.ts';
import { ensureAssets, ensureTexts, findAssets, findTexts } from './identities.ts';
import { chunks, fromJson } from './json.ts';
import { findLaunch, insertLaunch } from './launches.ts';

const CHUNK = 200;
type Db = StoreContext['db'];

export function createAutomationStore(context: StoreContext): AutomationStore {
  const { db } = context;
  const look = createAutomationLook(context);
  return {
    view: look,

    async staticIds(keys) {
      const known = await findTexts(context, 'static_key', keys);
      if (keys.every((key) => known.has(key))) return known;
      return context.write(async (tx) => ensureTexts(tx, 'static_key', keys));
    },

    async cursors() {
      const rows = await db
        .selectFrom('automation_cursor')
        .innerJoin('asset', 'asset.asset_id', 'automation_cursor.asset_id')
        .select(['asset.key', 'automation_cursor.check_name', 'automation_cursor.cursor'])
        .execute();
      return new Map(rows.map((row) => [entityOf(row.key, row.check_name), row.cursor]));
    },

    async record({ evaluationId, at, cursors, forgotten, evaluations, plans, backfill, specs }) {
      return context.write(async (tx) => {
        const key = `automation:${evaluationId}`;
        const [first] = plans;
        const known = first === undefined ? null : await findLaunch(tx, first.launchId, key);
        if (known !== null) return known;
        if (backfill !== null && (await isRecorded(tx, backfill.backfillId))) return null;
        await writeCursors(tx, cursors, forgotten);
        const launch = first === undefined ? null : await insertLaunch(tx, plans, specs, key);
        if (backfill !== null) await insertBackfill(tx, backfill);
        if (evaluations.length === 0) return launch;
        const asked = { launch_id: launch?.launchId ?? null, backfill_id: backfill?.backfillId ?? null };
        await writeEvaluations(tx, evaluationId, at, evaluations, asked);
        const asking = evaluations.filter(({ requested }) => requested > 0);
        await appendEvent(tx, {
          runNo: null,
          stepKey: null,
          attempt: null,
          n: null,
          event: {
            type: 'automation_evaluated',
            evaluationId,
            requested: asking.reduce((sum, { requested }) => sum + requested, 0),
            assetKeys: [...new Set(evaluations.map(({ assetKey }) => assetKey))],
          },
        });
        return launch;
      });
    },

    async evaluations({ assetKey, requestedOnly, cursor, limit }) {
      let query = evaluationsOf(db);
      if (assetKey !== undefined) {
        const id = (await findAssets(context, [assetKey])).get(assetKey);
        if (id === undefined) return [];
        query = query.where('automation_evaluation.asset_id', '=', id);
      }
      if (requestedOnly === true) query = query.where('automation_evaluation.requested', '>', 0);
      if (cursor !== undefined) {
        const before = await evaluationNamed(context, cursor);
        if (before === null) return [];
        query = query.where('automation_evaluation.evaluation_no', '<', before.evaluation_no);
      }
      const rows = await query.orderBy('automation_evaluation.evaluation_no', 'desc').limit(limit).execute();
      return toEvaluations(db, rows, false);
    },

    async evaluation(evaluationId) {
      const row = await evaluationNamed(context, evaluationId);
      return row === null ? null : ((await toEvaluations(db, [row], true))[0] ?? null);
    },

    async newest(assetKeys) {
      const ids = await findAssets(context, assetKeys);
      const found = new Map<string, { latest: EvaluationRow | null; latestRequest: EvaluationRow | null }>();
      const add = (row: EvaluationRow, as: 'latest' | 'latestRequest'): void => {
        const own = found.get(row.assetKey) ?? { latest: null, latestRequest: null };
        found.set(row.assetKey, { ...own, [as]: row });
      };
      for (const some of chunks([...ids.values()], CHUNK)) {
        for (const row of await newestOf(db, some, 0)) add(row, 'latest');
        for (const row of await newestOf(db, some, 1)) add(row, 'latestRequest');
      }
      return found;
    },

    async prune(before) {
      return context.write(async (tx) => {
        const result = await tx.db
          .deleteFrom('automation_evaluation')
          .where('at', '<', before)
          .where('evaluation_no', '<', (eb) =>
            eb
              .selectFrom('automation_evaluation as newest')
              .select((max) => max.fn.max('newest.evaluation_no').as('evaluation_no'))
              .whereRef('newest.asset_id', '=', 'automation_evaluation.asset_id')
              .whereRef('newest.check_name', '=', 'automation_evaluation.check_name'),
          )
          .where((eb) =>
            eb.or([
              eb('requested', '=', 0),
              eb('evaluation_no', '<', (one) =>
                one
                  .selectFrom('automation_evaluation as newest')
                  .select((max) => max.fn.max('newest.evaluation_no').as('evaluation_no'))
                  .whereRef('newest.asset_id', '=', 'automation_evaluation.asset_id')
                  .whereRef('newest.check_name', '=', 'automation_evaluation.check_name')
                  .where('newest.requested', '>', 0),
              ),
            ]),
          )
          .executeTakeFirst();
        return Number(result.numDeletedRows);
      });
    },
  };
}

async function isRecorded({ db }: Tx, backfillId: string): Promise<boolean> {
  const row = await db
    .selectFrom('backfill')
    .select('backfill_no')
    .where('backfill_id', '=', backfillId)
    .executeTakeFirst();
  return row !== undefined;
}

async function writeCursors(
  tx: Tx,
  cursors: ReadonlyMap<string, string>,
  forgotten: readonly string[],
): Promise<void> {
  const places = await placesOf(tx, [...cursors.keys(), ...forgotten]);
  const rows = [...cursors].map(([entity, cursor]) => ({ ...places(entity), cursor }));
  for (const some of chunks(rows, CHUNK)) {
    await tx.db
      .insertInto('automation_cursor')
      .values([...some])
      .onConflict((conflict) =>
        conflict
          .columns(['asset_id', 'check_name'])
          .doUpdateSet((eb) => ({ cursor: eb.ref('excluded.cursor') })),
      )
      .execute();
  }
  for (const entity of forgotten) {
    const { asset_id, check_name } = places(entity);
    await tx.db
      .deleteFrom('automation_cursor')
      .where('asset_id', '=', asset_id)
      .where('check_name', '=', check_name)
      .execute();
  }
}

async function writeEvaluations(
  tx: Tx,
  evaluation: string,
  at: number,
  evaluations: readonly NewEvaluation[],
  asked: Pick<AutomationEvaluationRow, 'launch_id' | 'backfill_id'>,
): Promise<void> {
  const ids = await ensureAssets(
    tx,
    evaluations.map(({ assetKey }) => assetKey),
  );
  const rows = evaluations.map((one) => ({
    evaluation,
    asset_id: ids.get(one.assetKey) as number,
    check_name: one.checkName ?? '',
    at,
    requested: one.requested,
    spans: JSON.stringify(one.spans),
    condition: one.condition,
    explanation: JSON.stringify(one.explanation),
    ...(one.requested > 0 ? asked : { launch_id: null, backfill_id: null }),
  }));
  for (const some of chunks(rows, CHUNK)) {
    await tx.db
      .insertInto('automation_evaluation')
      .values([...some])
      .onConflict((conflict) => conflict.columns(['evaluation', 'asset_id', 'check_name']).doNothing())
      .execute();
  }
}

/** Rows of entities: `orders` is an asset, `orders:row_count` its check. Assets get ids. */
async function placesOf(
  tx: Tx,
  entities: readonly string[],
): Promise<(entity: string) => { readonly asset_id: number; readonly check_name: string }> {
  const known = await findAssets(tx, entities);
  const split = (entity: string): [string, string] => {
    const at = entity.lastIndexOf(':');
    return known.has(entity) || at === -1 ? [entity, ''] : [entity.slice(0, at), entity.slice(at + 1)];
  };
  const ids = await ensureAssets(
    tx,
    entities.map((entity) => split(entity)[0]),
  );
  return (entity) => {
    const [asset, check_name] = split(entity);
    return { asset_id: ids.get(asset) as number, check_name };
  };
}

function entityOf(assetKey: string, checkName: string): string {
  return checkName === '' ? assetKey : `${assetKey}:${checkName}`;
}

type NamedRow = AutomationEvaluationRow & { readonly key: string };

function evaluationsOf(db: Db) {
  return db
    .selectFrom('automation_evaluation')
    .innerJoin('asset', 'asset.asset_id', 'automation_evaluation.asset_id')
    .selectAll('automation_evaluation')
    .select('asset.key');
}

/** The newest evaluation of each asset that asked for at least so many partitions. */
async function newestOf(
  db: Db,
  assetIds: readonly number[],
  requested: number,
): Promise<readonly EvaluationRow[]> {
  const rows = await evaluationsOf(db)
    .where('automation_evaluation.asset_id', 'in', assetIds)
    .where('automation_evaluation.evaluation_no', '=', (eb) =>
      eb
        .selectFrom('automation_evaluation as newest')
        .select('newest.evaluation_no')
        .whereRef('newest.asset_id', '=', 'asset.asset_id')
        .where('newest.check_name', '=', '')
        .where('newest.requested', '>=', requested)
        .orderBy('newest.evaluation_no', 'desc')
        .limit(1),
    )
    .execute();
  return toEvaluations(db, rows, false);
}

/** By its id, `<evaluation>/<entity>`. */
async function evaluationNamed({ db }: StoreContext, evaluationId: string): Promise<NamedRow | null> {
  const at = evaluationId.indexOf('/');
  if (at === -1) return null;
  const rows = await evaluationsOf(db)
    .where('automation_evaluation.evaluation', '=', evaluationId.slice(0, at))
    .execute();
  return rows.find((row) => entityOf(row.key, row.check_name) === evaluationId.slice(at + 1)) ?? null;
}

async function toEvaluations(
  db: Db,
  rows: readonly NamedRow[],
  whole: boolean,
): Promise<readonly EvaluationRow[]> {
  const runs = await runsOf(db, rows);
  return rows.map((row) => ({
    evaluationId: `${row.evaluation}/${entityOf(row.key, row.check_name)}`,
    assetKey: row.key,
    checkName: row.check_name === '' ? null : row.check_name,
    at: row.at,
    requested: row.requested,
    spans: fromJson<EvaluationRow['spans']>(row.spans),
    runIds: runs.get(`${row.launch_id} ${row.asset_id}`) ?? [],
    backfillId: row.backfill_id,
    condition: row.condition,
    explanation: whole ? fromJson<Explanation>(row.explanation) : null,
  }));
}

/** Runs of the launches by launch and asset. */
async function runsOf(db: Db, rows: readonly NamedRow[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>();
  const launches = [...new Set(rows.flatMap((row) => (row.launch_id === null ? [] : [row.launch_id])))];
  const assets = [...new Set(rows.map((row) => row.asset_id))];
  for (const some of chunks(launches, CHUNK)) {
    const runs = await db
      .selectFrom('run')
      .innerJoin('run_asset', 'run_asset.run_no', 'run.run_no')
      .select(['run.run_id', 'run.launch_id', 'run_asset.asset_id'])
      .where('run.launch_id', 'in', some)
      .where('run_asset.asset_id', 'in', assets)
      .orderBy('run.run_no')
      .execute();
    for (const { run_id, launch_id, asset_id } of runs) {
      const key = `${launch_id} ${asset_id}`;
      const own = found.get(key);
      if (own === undefined) found.set(key, [run_id]);
      else own.push(run_id);
    }
  }
  return found;
}

import { setImmediate as others } from 'node:timers/promises';
import type { ExpressionBuilder } from 'kysely';
import type { DayMeasures } from '../../insights/insights-report.ts';
import { type Measures, plus } from '../../insights/measures.ts';
import type { Days, InsightsStore } from '../insights-store.ts';
import type { StoreContext } from './context.ts';
import { findAssets } from './identities.ts';
import { foldNext } from './insights-fold.ts';
import { chunks } from './json.ts';
import type { Database } from './schema.ts';

/** Some 50 ms of work. */
const EVENTS_AT_ONCE = 5_000;
const CHUNK = 500;

export function createInsightsStore(context: StoreContext): InsightsStore {
  const { db } = context;
  return {
    async catchUp() {
      let taken = 0;
      for (;;) {
        // What a loss of power takes back is folded again: cursor and sums are one.
        const n = await context.write(async (tx) => foldNext(tx, EVENTS_AT_ONCE), 'process');
        if (n === 0) return taken;
        taken += n;
        await others();
      }
    },

    async sums({ fromDay, toDay }) {
      const rows = await db
        .selectFrom('asset_day')
        .innerJoin('asset', 'asset.asset_id', 'asset_day.asset_id')
        .select('asset.key')
        .select(summed)
        .where('day', '>=', fromDay)
        .where('day', '<', toDay)
        .groupBy('asset_day.asset_id')
        .execute();
      return rows.map(({ key, ...measures }) => ({ assetKey: key, measures }));
    },

    async byDay(days, assetKeys) {
      if (assetKeys === null) return dayRows(null, days);
      const ids = [...(await findAssets(context, assetKeys)).values()];
      const found = new Map<string, DayMeasures>();
      for (const some of chunks(ids, CHUNK)) {
        for (const row of await dayRows(some, days)) {
          const id = `${row.day} ${row.component}`;
          const known = found.get(id);
          found.set(id, known === undefined ? row : { ...row, measures: plus(known.measures, row.measures) });
        }
      }
      return [...found.values()];
    },

    async durations({ fromDay, toDay }) {
      const rows = await db
        .selectFrom('asset_day_duration')
        .innerJoin('asset', 'asset.asset_id', 'asset_day_duration.asset_id')
        .select(({ fn }) => ['asset.key', 'bucket', fn.sum<number>('n').as('n')])
        .where('day', '>=', fromDay)
        .where('day', '<', toDay)
        .groupBy(['asset_day_duration.asset_id', 'bucket'])
        .execute();
      const found = new Map<string, Map<number, number>>();
      for (const { key, bucket, n } of rows) {
        const counts = found.get(key);
        if (counts === undefined) found.set(key, new Map([[bucket, n]]));
        else counts.set(bucket, n);
      }
      return found;
    },
  };

  async function dayRows(
    assetIds: readonly number[] | null,
    { fromDay, toDay }: Days,
  ): Promise<DayMeasures[]> {
    let query = db
      .selectFrom('asset_day')
      .innerJoin('asset', 'asset.asset_id', 'asset_day.asset_id')
      .leftJoin('pipeline', 'pipeline.pipeline_id', 'asset.pipeline_id')
      .select(['day', 'pipeline.component'])
      .select(summed)
      .where('day', '>=', fromDay)
      .where('day', '<', toDay)
      .groupBy(['day', 'pipeline.component']);
    if (assetIds !== null) query = query.where('asset_day.asset_id', 'in', assetIds);
    const rows = await query.execute();
    return rows.map(({ day, component, ...measures }) => ({ day, component: component ?? '', measures }));
  }
}

function summed({ fn }: Pick<ExpressionBuilder<Database, 'asset_day'>, 'fn'>) {
  const sum = <Name extends Exclude<keyof Measures, 'longestDelay'>>(name: Name) =>
    fn.sum<number>(`asset_day.${name}`).as(name);
  return [
    sum('materializations'),
    sum('rows'),
    sum('bytes'),
    sum('seconds'),
    sum('succeeded'),
    sum('failed'),
    sum('canceled'),
    sum('retries'),
    sum('scheduled'),
    sum('delay'),
    fn.max<number>('asset_day.longest_delay').as('longestDelay'),
  ] as const;
}

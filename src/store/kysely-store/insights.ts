import { setImmediate as others } from 'node:timers/promises';
import type { ExpressionBuilder } from 'kysely';
import { addCounts } from '../../insights/durations.ts';
import { type Measures, NOTHING, plus } from '../../insights/measures.ts';
import type { Days, InsightsStore } from '../insights-store.ts';
import type { StoreContext } from './context.ts';
import { findAssets } from './identities.ts';
import { foldNext } from './insights-fold.ts';
import { chunks } from './json.ts';
import type { Database } from './schema.ts';

/** Events, and rows of sums, that are read in one go: some 20 ms of work. */
const EVENTS_AT_ONCE = 2_000;
const ROWS_AT_ONCE = 10_000;
const CHUNK = 500;

export function createInsightsStore(context: StoreContext): InsightsStore {
  const { db } = context;
  return {
    async catchUp() {
      let taken = 0;
      for (;;) {
        // What a loss of power takes back is folded again: cursor and sums are one.
        const n = await context.write(async (tx) => foldNext(tx, EVENTS_AT_ONCE), 'process');
        if (n === null) return taken;
        taken += n;
        await others();
      }
    },

    async sums(days) {
      const found = new Map<string, Measures>();
      for await (const { fromDay, toDay } of pieces(days)) {
        const rows = await db
          .selectFrom('asset_day')
          .innerJoin('asset', 'asset.asset_id', 'asset_day.asset_id')
          .select('asset.key')
          .select(summed)
          .where('day', '>=', fromDay)
          .where('day', '<', toDay)
          .groupBy('asset_day.asset_id')
          .execute();
        for (const { key, ...measures } of rows) found.set(key, plus(found.get(key) ?? NOTHING, measures));
      }
      return found;
    },

    async byDay(days, assetKeys) {
      const ids = [...(await findAssets(context, assetKeys)).values()];
      const found = new Map<number, Measures>();
      for await (const { fromDay, toDay } of pieces(days)) {
        for (const some of chunks(ids, CHUNK)) {
          const rows = await db
            .selectFrom('asset_day')
            .select('day')
            .select(summed)
            .where('day', '>=', fromDay)
            .where('day', '<', toDay)
            .where('asset_id', 'in', some)
            .groupBy('day')
            .execute();
          for (const { day, ...measures } of rows) found.set(day, plus(found.get(day) ?? NOTHING, measures));
        }
      }
      return found;
    },

    async durations(days) {
      const found = new Map<string, Map<number, number>>();
      for await (const { fromDay, toDay } of pieces(days)) {
        const rows = await db
          .selectFrom('asset_day_duration')
          .innerJoin('asset', 'asset.asset_id', 'asset_day_duration.asset_id')
          .select(({ fn }) => ['asset.key', 'bucket', fn.sum<number>('n').as('n')])
          .where('day', '>=', fromDay)
          .where('day', '<', toDay)
          .groupBy(['asset_day_duration.asset_id', 'bucket'])
          .execute();
        for (const { key, bucket, n } of rows) {
          const counts = found.get(key) ?? new Map<number, number>();
          addCounts(counts, new Map([[bucket, n]]));
          found.set(key, counts);
        }
      }
      return found;
    },
  };

  /** The days in pieces, each of few enough rows; between two of them everybody else has a turn. */
  async function* pieces({ fromDay, toDay }: Days): AsyncGenerator<Days> {
    const assets = await db
      .selectFrom('asset')
      .select((eb) => eb.fn.countAll<number>().as('n'))
      .executeTakeFirstOrThrow();
    const length = Math.max(1, Math.floor(ROWS_AT_ONCE / Math.max(1, assets.n)));
    for (let day = fromDay; day < toDay; day += length) {
      yield { fromDay: day, toDay: Math.min(toDay, day + length) };
      await others();
    }
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

import type { DiscoveryResult, DiscoveryStore } from '../store.ts';
import type { StoreContext } from './context.ts';
import { fromJson } from './json.ts';

export function createDiscoveryStore(context: StoreContext): DiscoveryStore {
  const { db } = context;
  return {
    async result(inputsDigest) {
      const row = await db
        .selectFrom('discovery_result')
        .select('body')
        .where('inputs_digest', '=', inputsDigest)
        .executeTakeFirst();
      return row === undefined ? null : fromJson<DiscoveryResult>(row.body);
    },

    async results() {
      const rows = await db.selectFrom('discovery_result').select(['inputs_digest', 'body']).execute();
      return new Map(rows.map((row) => [row.inputs_digest, fromJson<DiscoveryResult>(row.body)]));
    },

    async save(result) {
      await context.write(async (tx) => {
        const columns = { body: JSON.stringify(result), saved_at: tx.now };
        await tx.db
          .insertInto('discovery_result')
          .values({ inputs_digest: result.inputsDigest, ...columns })
          .onConflict((conflict) => conflict.column('inputs_digest').doUpdateSet(columns))
          .execute();
      });
    },
  };
}

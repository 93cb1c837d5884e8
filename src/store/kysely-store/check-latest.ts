import { type Kysely, sql } from 'kysely';
import type { Tx } from './context.ts';
import { P_KIND } from './partition-identity.ts';
import type { Database } from './schema.ts';

/**
 * `check_latest` names the result that stands for a check: of partitions the newest that fails, as long as one does, so
 * that a good day never hides a bad one; else the newest. A result of the asset as a whole takes the place of all before.
 */
export async function showResult(
  tx: Tx,
  check: { readonly assetId: number; readonly name: string },
  result: {
    readonly eventId: number;
    readonly passed: boolean;
    readonly isWhole: boolean;
    /** The result before it, of the same partition. */
    readonly hadFailed: boolean;
  },
): Promise<void> {
  if (result.passed && !result.isWhole) {
    const shown = await tx.db
      .selectFrom('check_latest')
      .innerJoin('asset_check', 'asset_check.event_id', 'check_latest.event_id')
      .select(['asset_check.passed', 'asset_check.p_kind'])
      .where('check_latest.asset_id', '=', check.assetId)
      .where('check_latest.check_name', '=', check.name)
      .executeTakeFirst();
    if (shown?.passed === 0 && shown.p_kind !== P_KIND.none) return;
    // The failure that was shown is gone: another one may be left. Only then all partitions are looked at.
    if (result.hadFailed) return showAll(tx.db, check);
  }
  await tx.db
    .insertInto('check_latest')
    .values({ asset_id: check.assetId, check_name: check.name, event_id: result.eventId })
    .onConflict((conflict) =>
      conflict
        .columns(['asset_id', 'check_name'])
        .doUpdateSet((eb) => ({ event_id: eb.ref('excluded.event_id') })),
    )
    .execute();
}

/** Of every check, or of one, by all its results. */
export async function showAll(
  db: Kysely<Database>,
  check?: { readonly assetId: number; readonly name: string },
): Promise<void> {
  const only =
    check === undefined ? sql`true` : sql`asset_id = ${check.assetId} and check_name = ${check.name}`;
  await sql`
    insert into check_latest (asset_id, check_name, event_id)
    select asset_id, check_name, coalesce(max(case when passed = 0 and event_id > whole then event_id end), max(event_id))
    from (
      select asset_id, check_name, passed, event_id,
        coalesce(max(case when p_kind = ${P_KIND.none} then event_id end) over (partition by asset_id, check_name), 0) as whole
      from asset_check where ${only}
    ) as results
    group by asset_id, check_name
    on conflict (asset_id, check_name) do update set event_id = excluded.event_id
  `.execute(db);
}

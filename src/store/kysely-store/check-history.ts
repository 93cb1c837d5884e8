import { sql } from 'kysely';
import type { CheckEvent } from '../../events/step-event.ts';
import type { CheckResultRow } from '../store.ts';
import type { StoreContext } from './context.ts';
import { findAssets } from './identities.ts';
import { fromJson } from './json.ts';

/** So many of the asset's newest runs are looked through: the log has an index by run, none by check. */
const SEARCHED_RUNS = 60;

/** Results of one check out of the log, newest first; the projection keeps only the last of each partition. */
export async function checkResults(
  context: StoreContext,
  assetKey: string,
  checkName: string,
  limit: number,
): Promise<readonly (CheckResultRow & { readonly eventId: number })[]> {
  const { db } = context;
  const assetId = (await findAssets(context, [assetKey])).get(assetKey);
  if (assetId === undefined) return [];
  const rows = await db
    .selectFrom('event')
    .innerJoin('run', 'run.run_no', 'event.run_no')
    .select(['event.event_id', 'event.at', 'event.payload', 'run.run_id'])
    .where('event.run_no', 'in', (eb) =>
      eb
        .selectFrom('run_asset')
        .select('run_asset.run_no')
        .where('run_asset.asset_id', '=', assetId)
        .orderBy('run_asset.run_no', 'desc')
        .limit(SEARCHED_RUNS),
    )
    .where('event.type', '=', 'check')
    .where(sql`json_extract(event.payload, '$.asset_key')`, '=', assetKey)
    .where(sql`json_extract(event.payload, '$.check_name')`, '=', checkName)
    .orderBy('event.event_id', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => {
    const { passed, severity, partition, metadata } = fromJson<CheckEvent>(row.payload);
    return {
      eventId: row.event_id,
      assetKey,
      checkName,
      partition: partition ?? null,
      passed,
      severity,
      runId: row.run_id,
      at: row.at,
      metadata,
    };
  });
}

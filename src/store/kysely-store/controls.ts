import type { ControlMode, ControlState } from '../../component/control.ts';
import type { ControlStore } from '../control-store.ts';
import type { StoreContext, Tx } from './context.ts';
import { appendEvent } from './event-log.ts';
import { fromJson } from './json.ts';

export function createControlStore(context: StoreContext): ControlStore {
  const { db } = context;
  return {
    async get(component) {
      const row = await db
        .selectFrom('control')
        .selectAll()
        .where('component', '=', component)
        .executeTakeFirst();
      return row === undefined
        ? null
        : {
            mode: row.mode as ControlMode,
            revisionId: row.revision_id,
            commit: row.commit_sha,
            fenced: fromJson<string[]>(row.fenced),
            by: row.set_by,
            at: row.set_at,
            reason: row.reason,
            expiresAt: row.expires_at,
          };
    },

    async set(component, state, by) {
      await context.write((tx) => writeControl(tx, component, state, by));
    },
  };
}

const ACTIONS = {
  pinned: 'component.pin',
  rolled_back: 'component.rollback',
  suspended: 'component.suspend',
} as const satisfies Record<ControlMode, string>;

/** The row, its event and its audit entry; part of the transaction that applies a revision, when there is one. */
export async function writeControl(
  tx: Tx,
  component: string,
  state: ControlState | null,
  by: string,
): Promise<void> {
  if (state === null) await tx.db.deleteFrom('control').where('component', '=', component).execute();
  else {
    const columns = {
      mode: state.mode,
      revision_id: state.revisionId,
      commit_sha: state.commit,
      fenced: JSON.stringify(state.fenced),
      set_by: state.by,
      set_at: state.at,
      reason: state.reason,
      expires_at: state.expiresAt,
    };
    await tx.db
      .insertInto('control')
      .values({ component, ...columns })
      .onConflict((conflict) => conflict.column('component').doUpdateSet(columns))
      .execute();
  }
  const reason = state?.reason ?? '';
  await appendEvent(tx, {
    runNo: null,
    stepKey: null,
    attempt: null,
    n: null,
    event: { type: 'control_changed', component, mode: state?.mode ?? null, by, reason },
  });
  const details =
    state === null
      ? {}
      : {
          revision: state.revisionId,
          commit: state.commit,
          reason,
          expires_at: state.expiresAt === null ? null : new Date(state.expiresAt).toISOString(),
        };
  await tx.db
    .insertInto('audit')
    .values({
      at: tx.now,
      actor: by,
      action: state === null ? 'component.resume' : ACTIONS[state.mode],
      target: component,
      details: JSON.stringify(details),
    })
    .execute();
}

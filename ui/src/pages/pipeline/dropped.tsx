import type { DltDropped } from '../../../../src/server/contract/dlt-state.ts';
import { Value } from '../../components/value.tsx';
import { plural } from '../../lib/format.ts';

/** What a drop takes away, or took. `resource` null: all of it. */
export function Dropped({ plans, resource }: { plans: readonly DltDropped[]; resource: string | null }) {
  return (
    <>
      {plans.map((plan) => {
        const tables = plan.tables.filter((table) => resource === null || table.resource === resource);
        const cursors = plan.cursors.filter((cursor) => resource === null || cursor.resource === resource);
        const nothing = tables.length === 0 && cursors.length === 0 && plan.pending.length === 0;
        return (
          <div key={plan.pipeline} class="dropped">
            <p class="faint">
              <bdi class="mono">{plan.pipeline}</bdi>
              {plan.destination !== null && ` in ${plan.destination}`}
              {plan.dataset !== null && `, dataset ${plan.dataset}`}
            </p>
            {nothing ? (
              <p>Nothing: no tables, no state.</p>
            ) : (
              <ul>
                {tables.map((table) => (
                  <li key={table.name}>
                    Table <bdi class="mono">{table.name}</bdi>:{' '}
                    {table.rows === null ? 'rows not known' : plural(table.rows, 'row')}
                  </li>
                ))}
                {cursors.map((cursor) => (
                  <li key={`${cursor.resource} ${cursor.path}`}>
                    Cursor{' '}
                    <bdi class="mono">
                      {cursor.resource}.{cursor.path}
                    </bdi>
                    : <Value name={cursor.path} value={cursor.last_value} />
                  </li>
                ))}
                {plan.pending.map((load) => (
                  <li key={load.load_id}>
                    Pending load <span class="mono">{load.load_id}</span>: {load.tables.join(', ')}
                  </li>
                ))}
              </ul>
            )}
          </div>
        );
      })}
    </>
  );
}

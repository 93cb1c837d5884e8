import type { DltDrop } from '../../../../src/server/contract/dlt-state.ts';
import { Cause } from '../../components/links.tsx';
import { Status } from '../../components/status.tsx';
import { Ago } from '../../components/time.tsx';
import { runShown } from '../../lib/status.ts';
import { runHref } from '../../router.ts';
import { Dropped } from './dropped.tsx';

/** Who dropped what, newest first. */
export function Drops({ drops }: { drops: readonly DltDrop[] }) {
  if (drops.length === 0) return <p class="faint">Its state was never dropped.</p>;
  return (
    <ol class="drops">
      {drops.map((drop) => (
        <li key={drop.run_id}>
          <p>
            <Status shown={runShown(drop.status)} /> <a href={runHref(drop.run_id)}>Drop</a> of{' '}
            {drop.resources === null ? 'everything' : drop.resources.join(', ')} <Ago at={drop.at} />{' '}
            <span class="faint">
              by <Cause cause={drop.cause} />
            </span>
          </p>
          {drop.error !== null && <p class="tone-bad">{drop.error}</p>}
          {drop.dropped.length > 0 && (
            <details>
              <summary>What went</summary>
              <Dropped plans={drop.dropped} resource={null} />
            </details>
          )}
        </li>
      ))}
    </ol>
  );
}

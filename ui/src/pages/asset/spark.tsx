import type { Materialization } from '../../../../src/server/contract/asset.ts';
import { narrow } from '../../components/media.ts';
import { count, exact } from '../../lib/format.ts';
import { runHref } from '../../router.ts';

/** The rows of the last materializations as bars, oldest left; each is a link to its run. */
export function RowsPlot({ items }: { items: readonly Materialization[] }) {
  const points = items
    .slice(0, narrow.value ? 10 : 24)
    .reverse()
    .flatMap((item) =>
      typeof item.metadata['rows'] === 'number' ? [{ item, rows: item.metadata['rows'] }] : [],
    );
  if (points.length < 2) return null;
  const most = Math.max(1, ...points.map(({ rows }) => rows));
  return (
    <figure class="rows-plot">
      <figcaption>
        <span>Rows, last {points.length} materializations</span>
        <span class="faint num">up to {count(most)}</span>
      </figcaption>
      <div class="bars">
        {points.map(({ item, rows }) => {
          const text = `${count(rows)} rows${item.partition === null ? '' : ` · ${item.partition}`} · ${exact(Date.parse(item.at))}`;
          return (
            <a key={item.event_id} href={runHref(item.run_id)} title={text} aria-label={text}>
              <i style={{ height: `${Math.max(3, (rows / most) * 100)}%` }} />
            </a>
          );
        })}
      </div>
    </figure>
  );
}

import type { PlotPoint } from '../../../../src/server/contract/history.ts';
import { narrow } from '../../components/media.ts';
import { count, exact } from '../../lib/format.ts';
import { runHref } from '../../router.ts';

/** The rows of the last writes as bars, oldest left; each is a link to its run. */
export function RowsPlot({ points }: { points: readonly PlotPoint[] }) {
  const bars = points
    .slice(narrow.value ? -10 : -24)
    .flatMap((point) => (point.values['rows'] === undefined ? [] : [{ point, rows: point.values['rows'] }]));
  if (bars.length < 2) return null;
  const most = Math.max(1, ...bars.map(({ rows }) => rows));
  return (
    <figure class="rows-plot">
      <figcaption>
        <span>Rows, last {bars.length} materializations</span>
        <a href="?tab=plots">All plots</a>
      </figcaption>
      <div class="bars">
        {bars.map(({ point, rows }, index) => {
          const when = point.at === null ? '' : ` · ${exact(Date.parse(point.at))}`;
          const commit = point.commit === bars[index - 1]?.point.commit || index === 0 ? '' : ' · new commit';
          const text = `${count(rows)} rows${point.partition === null ? '' : ` · ${point.partition}`}${when}${commit}`;
          return (
            <a
              key={point.event_id}
              class={commit === '' ? undefined : 'new-commit'}
              href={runHref(point.run_id ?? '')}
              title={text}
              aria-label={text}
            >
              <i style={{ height: `${Math.max(3, (rows / most) * 100)}%` }} />
            </a>
          );
        })}
      </div>
    </figure>
  );
}

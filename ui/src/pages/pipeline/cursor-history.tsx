import type { z } from 'zod';
import type { MaterializationList } from '../../../../src/server/contract/asset.ts';
import type { DltPipelineDetail } from '../../../../src/server/contract/dlt-state.ts';
import { segment } from '../../api/client.ts';
import { Load } from '../../components/load.tsx';
import { Ago } from '../../components/time.tsx';
import { Value } from '../../components/value.tsx';
import { count, exact } from '../../lib/format.ts';
import { runHref } from '../../router.ts';
import { concernsAsset } from '../../state/concerns.ts';
import { useResource } from '../../state/resource.ts';
import { type CursorPoint, cursorPoints } from './cursor-points.ts';

const LOADS = 200;
/** Each is a request of its own. */
const MOST_ASSETS = 12;
const ROWS = 20;

/** What each load left as the cursor's last value: a line, and the newest of them as a table. */
export function CursorHistory({ pipeline }: { pipeline: DltPipelineDetail }) {
  const assets = pipeline.assets.filter(({ cursor }) => cursor !== null && Object.keys(cursor).length > 0);
  if (assets.length === 0) {
    return (
      <p class="faint">
        {pipeline.partitioned
          ? 'None: a load of a partition has its window and keeps no cursor.'
          : 'None: no load reported an incremental cursor.'}
      </p>
    );
  }
  return (
    <>
      {assets.slice(0, MOST_ASSETS).map(({ key }) => (
        <OfAsset key={key} assetKey={key} />
      ))}
    </>
  );
}

function OfAsset({ assetKey }: { assetKey: string }) {
  const history = useResource<z.infer<typeof MaterializationList>>(
    `/assets/${segment(assetKey)}/materializations?limit=${LOADS}`,
    concernsAsset(assetKey),
  );
  return (
    <Load from={history} what={`Loads of ${assetKey}`}>
      {({ items }) => (
        <>
          {[...cursorPoints(items)].map(([path, points]) => (
            <OneCursor key={path} assetKey={assetKey} path={path} points={points} />
          ))}
        </>
      )}
    </Load>
  );
}

function OneCursor({
  assetKey,
  path,
  points,
}: {
  assetKey: string;
  path: string;
  points: readonly CursorPoint[];
}) {
  const newest = [...points].reverse().slice(0, ROWS);
  return (
    <figure class="cursor-history">
      <figcaption>
        <bdi>{assetKey}</bdi> <bdi class="mono">{path}</bdi>
      </figcaption>
      <Plot points={points} path={path} />
      <div class="table-frame">
        <table class="table cards">
          <caption class="sr-only">
            Values of {path} of {assetKey}, newest first
          </caption>
          <thead>
            <tr>
              <th scope="col">Loaded</th>
              <th scope="col">Last value</th>
              <th scope="col" class="right">
                Rows
              </th>
              <th scope="col">Run</th>
            </tr>
          </thead>
          <tbody>
            {newest.map((point) => (
              <tr key={`${point.runId} ${point.at}`}>
                <td data-label="Loaded">
                  <Ago at={new Date(point.at).toISOString()} />
                </td>
                <td data-label="Last value">
                  <Value name={path} value={point.value} />
                </td>
                <td class="right num" data-label="Rows">
                  {point.rows === null ? '–' : count(point.rows)}
                </td>
                <td data-label="Run">
                  <a href={runHref(point.runId)} title={point.runId}>
                    run
                  </a>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}

const WIDTH = 600;
const HEIGHT = 90;
const EDGE = 4;

/** Steps, since a cursor stays where it is until the next load. Two values make a line. */
function Plot({ points, path }: { points: readonly CursorPoint[]; path: string }) {
  const drawn = points.filter((point): point is CursorPoint & { height: number } => point.height !== null);
  const [first] = drawn;
  const last = drawn.at(-1);
  if (first === undefined || last === undefined || drawn.length < 2) return null;
  const heights = drawn.map(({ height }) => height);
  const [low, high] = [Math.min(...heights), Math.max(...heights)];
  const x = (at: number): number => EDGE + ((at - first.at) / (last.at - first.at || 1)) * (WIDTH - 2 * EDGE);
  const y = (height: number): number =>
    high === low ? HEIGHT / 2 : HEIGHT - EDGE - ((height - low) / (high - low)) * (HEIGHT - 2 * EDGE);
  const steps = drawn.map((point, index) => {
    const to = `${x(point.at).toFixed(1)} ${y(point.height).toFixed(1)}`;
    return index === 0 ? `M${to}` : `H${x(point.at).toFixed(1)} L${to}`;
  });
  const label = `${path} over ${drawn.length} loads, from ${exact(first.at)} to ${exact(last.at)}`;
  return (
    <svg
      class="cursor-plot"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <title>{label}</title>
      <path d={steps.join(' ')} vector-effect="non-scaling-stroke" />
    </svg>
  );
}

import { useEffect, useState } from 'preact/hooks';
import type { AssetDetail, PartitionList, PartitionState } from '../../../../src/server/contract/asset.ts';
import { Button } from '../../components/controls.tsx';
import { type Area, countIn, ordered } from '../../lib/cells.ts';
import { count, plural } from '../../lib/format.ts';
import { cellKey } from '../../lib/partition-key.ts';
import { query, setQuery } from '../../router.ts';
import { requestBackfill } from '../../state/backfill-request.ts';
import { requestLaunch } from '../../state/launch-request.ts';
import { MatrixGrid } from './matrix-grid.tsx';
import { openRunOf, PartitionCard, PartitionFacts } from './partition-facts.tsx';

type Matrix = NonNullable<PartitionList['matrix']>;
const STATES: Readonly<Record<string, PartitionState>> = {
  m: 'materialized',
  f: 'failed',
  i: 'in_progress',
};
/** A launch names its partitions one by one; more than this is a backfill. */
const MOST_LAUNCHED = 200;
/** The address is not written at each step of a drag. */
const SETTLE_MS = 250;

/** Two dimensions: every cell, and what is chosen of them. */
export function Matrix({ asset, matrix }: { asset: AssetDetail; matrix: Matrix }) {
  const [area, setArea] = useState<Area | null>(() => readArea(query('sel'), matrix));
  useEffect(() => {
    const timer = window.setTimeout(() => setQuery({ sel: area === null ? '' : areaText(area) }), SETTLE_MS);
    return () => window.clearTimeout(timer);
  }, [area]);
  const chosen = area === null ? null : countIn(matrix.cells, area, '.f');
  return (
    <>
      <MatrixGrid
        grid={matrix}
        label={`${matrix.rows.name} by ${matrix.columns.name}`}
        area={area}
        onArea={setArea}
        popover={(row, column) => (
          <PartitionCard
            assetKey={asset.key}
            partition={cellKey(matrix, row, column)}
            status={STATES[matrix.cells[row]?.[column] ?? ''] ?? 'missing'}
          />
        )}
        onOpen={(row, column) => void openRunOf(asset.key, cellKey(matrix, row, column))}
      />
      <div class="matrix-foot" role="status">
        {area === null || chosen === null ? (
          <span class="faint">
            Click a cell, drag over several, or take a whole row or column by its head. Shift and the arrows
            do it by keyboard, Enter opens a cell's run.
          </span>
        ) : (
          <Chosen asset={asset} matrix={matrix} area={area} total={chosen.total} lacking={chosen.found} />
        )}
      </div>
    </>
  );
}

function Chosen({
  asset,
  matrix,
  area,
  total,
  lacking,
}: {
  asset: AssetDetail;
  matrix: Matrix;
  area: Area;
  total: number;
  lacking: number;
}) {
  const [top, bottom] = ordered(area.row, area.toRow);
  const [left, right] = ordered(area.column, area.toColumn);
  const first = cellKey(matrix, top, left);
  const last = cellKey(matrix, bottom, right);
  return (
    <>
      <strong class="mono">{total === 1 ? first : plural(total, 'partition')}</strong>
      {total === 1 ? (
        <PartitionFacts assetKey={asset.key} partition={first} />
      ) : (
        <span class="faint mono">
          {first} … {last}
        </span>
      )}
      <span class="grow" />
      {total <= MOST_LAUNCHED && (
        <Button
          icon="play"
          disabled={!asset.enabled}
          onClick={() => requestLaunch({ kind: 'assets', assets: [asset], keys: keysIn(matrix, area) })}
        >
          Materialize{total === 1 ? '' : ` ${total}`}…
        </Button>
      )}
      <Button
        kind="primary"
        icon="backfills"
        disabled={!asset.enabled}
        title={lacking === 0 ? 'None of them is missing or failed' : 'Only what is failed or missing of them'}
        onClick={() =>
          requestBackfill({
            assets: [asset],
            range: { start: first, end: last },
            only: lacking === 0 ? [] : ['missing', 'failed'],
          })
        }
      >
        {lacking === 0
          ? 'Backfill…'
          : `Backfill ${count(lacking)} of ${count(total)} (only failed and missing)`}
      </Button>
    </>
  );
}

function keysIn(matrix: Matrix, area: Area): string[] {
  const [top, bottom] = ordered(area.row, area.toRow);
  const [left, right] = ordered(area.column, area.toColumn);
  const keys: string[] = [];
  for (let row = top; row <= bottom; row += 1) {
    for (let column = left; column <= right; column += 1) keys.push(cellKey(matrix, row, column));
  }
  return keys;
}

/** `0.7-1.9`: rows and columns of the corners. */
function areaText({ row, column, toRow, toColumn }: Area): string {
  return `${row}.${column}-${toRow}.${toColumn}`;
}

function readArea(text: string, { rows, columns }: Matrix): Area | null {
  const match = /^(\d+)\.(\d+)-(\d+)\.(\d+)$/.exec(text);
  if (match === null) return null;
  const [row, column, toRow, toColumn] = match.slice(1).map(Number) as [number, number, number, number];
  const isThere = Math.max(row, toRow) < rows.keys.length && Math.max(column, toColumn) < columns.keys.length;
  return isThere ? { row, column, toRow, toColumn } : null;
}

import { useState } from 'preact/hooks';
import type { AssetDetail, Materialization, PartitionList } from '../../../../src/server/contract/asset.ts';
import { Button } from '../../components/controls.tsx';
import { Load } from '../../components/load.tsx';
import { Glyph } from '../../components/status.tsx';
import { count, plural } from '../../lib/format.ts';
import { cellKey } from '../../lib/partition-key.ts';
import { partitionShown } from '../../lib/status.ts';
import { requestBackfill } from '../../state/backfill-request.ts';
import { requestLaunch } from '../../state/launch-request.ts';
import { usePartitions } from '../../state/partitions.ts';
import { MaterializationLine } from './materializations.tsx';
import { type Area, isIn, MatrixGrid } from './matrix-grid.tsx';
import { PartitionLine } from './partition-line.tsx';

const STATES = ['materialized', 'failed', 'in_progress', 'missing'] as const;

export function PartitionsTab({ asset, newest }: { asset: AssetDetail; newest: readonly Materialization[] }) {
  const list = usePartitions(asset.key);
  return (
    <Load from={list} what="Partitions">
      {(data) => (
        <>
          <p class="legend">
            {STATES.map((state) => (
              <span key={state} class="legend-item">
                <Glyph tone={partitionShown(state).tone} />{' '}
                <strong class="num">{count(data.info.counts[state])}</strong>{' '}
                {partitionShown(state).text.toLowerCase()}
              </span>
            ))}
          </p>
          {data.matrix === null ? (
            <PartitionLine asset={asset} list={data} />
          ) : (
            <Matrix asset={asset} matrix={data.matrix} newest={newest} />
          )}
        </>
      )}
    </Load>
  );
}

function Matrix({
  asset,
  matrix,
  newest,
}: {
  asset: AssetDetail;
  matrix: NonNullable<PartitionList['matrix']>;
  newest: readonly Materialization[];
}) {
  const [area, setArea] = useState<Area | null>(null);
  const keys =
    area === null
      ? []
      : matrix.rows.keys.flatMap((_, row) =>
          matrix.columns.keys.flatMap((__, column) =>
            isIn(area, row, column) ? [cellKey(matrix, row, column)] : [],
          ),
        );
  const [only] = keys;
  const lacking =
    area === null
      ? 0
      : matrix.cells.reduce(
          (sum, line, row) =>
            sum +
            line.split('').filter((cell, column) => isIn(area, row, column) && /[.f]/.test(cell)).length,
          0,
        );
  const last = keys.length === 1 ? newest.find(({ partition }) => partition === only) : undefined;
  return (
    <>
      <MatrixGrid matrix={matrix} area={area} onArea={setArea} />
      <div class="matrix-foot" role="status">
        {area === null ? (
          <span class="faint">
            Click a cell, drag over several, or take a whole row or column by its head.
          </span>
        ) : (
          <>
            <strong class="mono">{keys.length === 1 ? only : plural(keys.length, 'partition')}</strong>
            {last !== undefined && <MaterializationLine of={last} />}
            <span class="grow" />
            <Button
              icon="play"
              disabled={!asset.enabled}
              onClick={() => requestLaunch({ kind: 'assets', assets: [asset], keys })}
            >
              Materialize {keys.length === 1 ? '' : keys.length}…
            </Button>
            <Button
              kind="primary"
              icon="backfills"
              disabled={!asset.enabled}
              title={
                lacking === 0 ? 'None of them is missing or failed' : 'What is missing or failed of them'
              }
              onClick={() =>
                requestBackfill({
                  assets: [asset],
                  range: { start: keys[0]!, end: keys.at(-1)! },
                  only: lacking === 0 ? [] : ['missing', 'failed'],
                })
              }
            >
              {lacking === 0 ? 'Backfill…' : `Backfill ${lacking} of ${keys.length}…`}
            </Button>
          </>
        )}
      </div>
    </>
  );
}

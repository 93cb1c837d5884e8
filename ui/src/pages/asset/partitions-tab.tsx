import { useState } from 'preact/hooks';
import type { AssetDetail, Materialization, PartitionList } from '../../../../src/server/contract/asset.ts';
import { segment } from '../../api/client.ts';
import { Button } from '../../components/controls.tsx';
import { Load } from '../../components/load.tsx';
import { Section } from '../../components/page.tsx';
import { Glyph, Status } from '../../components/status.tsx';
import { count, plural } from '../../lib/format.ts';
import { cellKey } from '../../lib/partition-key.ts';
import { partitionShown } from '../../lib/status.ts';
import { concernsAsset } from '../../state/concerns.ts';
import { requestLaunch } from '../../state/launch-request.ts';
import { useResource } from '../../state/resource.ts';
import { MaterializationLine } from './materializations.tsx';
import { type Area, isIn, MatrixGrid } from './matrix-grid.tsx';
import { PartitionStrip } from './partition-strip.tsx';

const STATES = ['materialized', 'failed', 'in_progress', 'missing'] as const;

export function PartitionsTab({ asset, newest }: { asset: AssetDetail; newest: readonly Materialization[] }) {
  const list = useResource<PartitionList>(
    `/assets/${segment(asset.key)}/partitions`,
    concernsAsset(asset.key),
  );
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
            <Line asset={asset} list={data} />
          ) : (
            <Matrix asset={asset} matrix={data.matrix} newest={newest} />
          )}
        </>
      )}
    </Load>
  );
}

function Line({ asset, list }: { asset: AssetDetail; list: PartitionList }) {
  const take = (start: string, end: string): void =>
    requestLaunch(
      start === end
        ? { kind: 'assets', assets: [asset], keys: [start] }
        : { kind: 'assets', assets: [asset], range: { start, end } },
    );
  return (
    <>
      <div class="card">
        <PartitionStrip list={list} onPick={({ from_key, to_key }) => take(from_key, to_key)} />
      </div>
      <Section title="Stretches" aside={<span class="faint">newest first</span>}>
        <div class="table-frame">
          <table class="table cards">
            <thead>
              <tr>
                <th scope="col">State</th>
                <th scope="col">From</th>
                <th scope="col">To</th>
                <th scope="col" class="right">
                  Partitions
                </th>
                <th scope="col">
                  <span class="sr-only">Action</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {[...list.ranges]
                .reverse()
                .slice(0, 200)
                .map(({ from, to, from_key, to_key, status }) => (
                  <tr key={from} data-row>
                    <td data-label="State">
                      <Status shown={partitionShown(status)} />
                    </td>
                    <td data-label="From" class="mono">
                      {from_key}
                    </td>
                    <td data-label="To" class="mono">
                      {to_key}
                    </td>
                    <td data-label="Partitions" class="right num">
                      {count(to - from + 1)}
                    </td>
                    <td class="right">
                      <Button
                        kind="quiet"
                        icon="play"
                        disabled={!asset.enabled}
                        onClick={() => take(from_key, to_key)}
                      >
                        Materialize…
                      </Button>
                    </td>
                  </tr>
                ))}
            </tbody>
          </table>
        </div>
        {list.ranges.length > 200 && (
          <p class="faint more-line">and {count(list.ranges.length - 200)} older stretches</p>
        )}
      </Section>
    </>
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
              kind="primary"
              icon="play"
              disabled={!asset.enabled}
              onClick={() => requestLaunch({ kind: 'assets', assets: [asset], keys })}
            >
              Materialize {keys.length === 1 ? '' : keys.length}…
            </Button>
          </>
        )}
      </div>
    </>
  );
}

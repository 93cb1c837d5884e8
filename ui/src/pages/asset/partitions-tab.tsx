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
import { requestBackfill } from '../../state/backfill-request.ts';
import { concernsAsset } from '../../state/concerns.ts';
import { requestLaunch } from '../../state/launch-request.ts';
import { useResource } from '../../state/resource.ts';
import { toastError } from '../../state/toasts.ts';
import { MaterializationLine } from './materializations.tsx';
import { type Area, isIn, MatrixGrid } from './matrix-grid.tsx';
import { keysAt } from './partition-keys.ts';
import { PartitionStrip, type Span } from './partition-strip.tsx';

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
  const [selected, setSelected] = useState<(Span & { readonly start: string; readonly end: string }) | null>(
    null,
  );
  const select = async (span: Span): Promise<void> => {
    try {
      const [start, end] = await keysAt(asset.key, span);
      setSelected({ ...span, start, end });
    } catch (error) {
      toastError('The keys of these partitions could not be read', error);
    }
  };
  const take = (start: string, end: string): void =>
    requestLaunch(
      start === end
        ? { kind: 'assets', assets: [asset], keys: [start] }
        : { kind: 'assets', assets: [asset], range: { start, end } },
    );
  return (
    <>
      <div class="card">
        <PartitionStrip
          list={list}
          selected={selected}
          onPick={({ from, to, from_key, to_key }) => setSelected({ from, to, start: from_key, end: to_key })}
          onSelect={(span) => void select(span)}
        />
      </div>
      <div class="matrix-foot" role="status">
        {selected === null ? (
          <span class="faint">Click a stretch, or drag over a part of the line.</span>
        ) : (
          <>
            <strong class="mono">
              {selected.from === selected.to ? selected.start : `${selected.start} … ${selected.end}`}
            </strong>
            <span class="faint">{plural(selected.to - selected.from + 1, 'partition')}</span>
            <span class="grow" />
            <Button disabled={!asset.enabled} onClick={() => take(selected.start, selected.end)}>
              Materialize…
            </Button>
            <Button
              kind="primary"
              icon="backfills"
              disabled={!asset.enabled}
              onClick={() =>
                requestBackfill({
                  assets: [asset],
                  range: { start: selected.start, end: selected.end },
                  span: { from: selected.from, to: selected.to },
                })
              }
            >
              Backfill…
            </Button>
          </>
        )}
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
                      <Button
                        kind="quiet"
                        icon="backfills"
                        disabled={!asset.enabled}
                        onClick={() =>
                          requestBackfill({
                            assets: [asset],
                            range: { start: from_key, end: to_key },
                            span: { from, to },
                            only: status === 'missing' || status === 'failed' ? ['missing', 'failed'] : [],
                          })
                        }
                      >
                        Backfill…
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

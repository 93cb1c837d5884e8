import { useMemo, useState } from 'preact/hooks';
import type {
  BackfillDetail,
  BackfillPartitionState,
  BackfillPartitions,
} from '../../../../src/server/contract/backfill.ts';
import { segment } from '../../api/client.ts';
import { Button } from '../../components/controls.tsx';
import { AssetLink } from '../../components/links.tsx';
import { Load } from '../../components/load.tsx';
import { Section } from '../../components/page.tsx';
import { Glyph } from '../../components/status.tsx';
import { rangeAt } from '../../lib/buckets.ts';
import type { Area } from '../../lib/cells.ts';
import { count, plural } from '../../lib/format.ts';
import { cellKey } from '../../lib/partition-key.ts';
import { backfillPartitionShown } from '../../lib/status.ts';
import { STRIP_WIDTH, stripPaths } from '../../lib/strip-paths.ts';
import { concernsBackfill } from '../../state/concerns.ts';
import { useResource } from '../../state/resource.ts';
import { MatrixGrid } from '../asset/matrix-grid.tsx';
import { openRunOf, PartitionCard, PartitionFacts } from '../asset/partition-facts.tsx';

const STATES = ['materialized', 'failed', 'in_progress', 'skipped', 'canceled', 'not_started'] as const;
const WORST_FIRST: readonly BackfillPartitionState[] = [
  'failed',
  'in_progress',
  'skipped',
  'canceled',
  'not_started',
  'materialized',
];
const LOOK = {
  worstFirst: WORST_FIRST,
  toneOf: (status: BackfillPartitionState) => backfillPartitionShown(status).tone,
};
/** Each is a request of its own. */
const SHOWN_AT_FIRST = 12;

/** How far each asset is, in dependency order. */
export function AssetProgress({ backfill }: { backfill: BackfillDetail }) {
  const [all, setAll] = useState(false);
  const shown = all ? backfill.assets : backfill.assets.slice(0, SHOWN_AT_FIRST);
  return (
    <Section title="Assets" aside={<span class="count">{backfill.assets.length}</span>}>
      <ul class="backfill-progress">
        {shown.map((asset) => (
          <li key={asset.key} class="card">
            <One id={backfill.backfill_id} asset={asset} />
          </li>
        ))}
      </ul>
      {shown.length < backfill.assets.length && (
        <p class="more-line">
          <Button onClick={() => setAll(true)}>
            Show {plural(backfill.assets.length - shown.length, 'more asset')}
          </Button>
        </p>
      )}
    </Section>
  );
}

function One({ id, asset }: { id: string; asset: BackfillDetail['assets'][number] }) {
  const states = useResource<BackfillPartitions>(
    `/backfills/${segment(id)}/partitions/${segment(asset.key)}`,
    concernsBackfill(id),
  );
  return (
    <>
      <div class="backfill-asset-head">
        <AssetLink assetKey={asset.key} />
        <span class="faint">
          {asset.partitioned ? plural(asset.partitions, 'partition') : 'not partitioned'}
          {asset.serial && ', one after the other'}
          {asset.single_run && ', one run a range'}
        </span>
      </div>
      <Load from={states} what={`Partitions of ${asset.key}`} skeleton={<div class="backfill-strip-space" />}>
        {(data) => (
          <>
            {data.matrix !== null ? (
              <Matrix assetKey={asset.key} matrix={data.matrix} />
            ) : (
              <Strip of={data} />
            )}
            <p class="legend">
              {STATES.filter((state) => data.counts[state] > 0).map((state) => (
                <span key={state} class="legend-item">
                  <Glyph tone={backfillPartitionShown(state).tone} />{' '}
                  <strong class="num">{count(data.counts[state])}</strong>{' '}
                  {backfillPartitionShown(state).text.toLowerCase()}
                </span>
              ))}
            </p>
          </>
        )}
      </Load>
    </>
  );
}

/** The backfill's own partitions side by side: what it leaves out takes no room. */
function Strip({ of: { ranges, counts } }: { of: BackfillPartitions }) {
  const [over, setOver] = useState('');
  // Not at each move of the pointer: there can be a hundred thousand of them.
  const { dense, total, paths } = useMemo(() => sideBySide(ranges), [ranges]);
  if (dense.length === 0) return null;
  const label = STATES.filter((state) => counts[state] > 0)
    .map((state) => `${count(counts[state])} ${backfillPartitionShown(state).text.toLowerCase()}`)
    .join(', ');
  return (
    <div class="partition-strip">
      <svg
        viewBox={`0 0 ${STRIP_WIDTH} 24`}
        preserveAspectRatio="none"
        role="img"
        aria-label={label}
        onPointerMove={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          const at = Math.floor(((event.clientX - box.left) / box.width) * total);
          const found = rangeAt(dense, at);
          setOver(found === undefined ? '' : rangeText(found));
        }}
        onPointerLeave={() => setOver('')}
      >
        {paths.map(([tone, d]) => (
          <path key={tone} class={`tone-${tone}`} d={d} />
        ))}
      </svg>
      <div class="strip-caption">
        <span class="mono">{dense[0]?.from_key}</span>
        <span class="strip-over">{over}</span>
        <span class="mono">{dense.at(-1)?.to_key}</span>
      </div>
    </div>
  );
}

function sideBySide(ranges: BackfillPartitions['ranges']) {
  let total = 0;
  const dense = ranges.map((range) => {
    const from = total;
    total += range.to - range.from + 1;
    return { ...range, from, to: total - 1 };
  });
  return { dense, total, paths: stripPaths(dense, total, LOOK) };
}

function rangeText({ from, to, from_key, to_key, status }: BackfillPartitions['ranges'][number]): string {
  const keys = from === to ? from_key : `${from_key} … ${to_key} (${count(to - from + 1)})`;
  return `${keys} · ${backfillPartitionShown(status).text.toLowerCase()}`;
}

/** What became of each cell; beside it how the asset's partition is now. */
function Matrix({
  assetKey,
  matrix,
}: {
  assetKey: string;
  matrix: NonNullable<BackfillPartitions['matrix']>;
}) {
  const [area, setArea] = useState<Area | null>(null);
  const isOne = area !== null && area.row === area.toRow && area.column === area.toColumn;
  return (
    <>
      <MatrixGrid
        grid={matrix}
        label={`Outcome of ${assetKey}, ${matrix.rows.name} by ${matrix.columns.name}`}
        area={area}
        onArea={setArea}
        none="not of this backfill"
        popover={(row, column) => (
          <PartitionCard assetKey={assetKey} partition={cellKey(matrix, row, column)} status="missing" />
        )}
        onOpen={(row, column) => void openRunOf(assetKey, cellKey(matrix, row, column))}
      />
      {isOne && (
        <p class="matrix-foot">
          <strong class="mono">{cellKey(matrix, area.row, area.column)}</strong>
          <PartitionFacts assetKey={assetKey} partition={cellKey(matrix, area.row, area.column)} />
        </p>
      )}
    </>
  );
}

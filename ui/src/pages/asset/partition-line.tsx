import { useState } from 'preact/hooks';
import type {
  AssetDetail,
  PartitionList,
  PartitionRanges,
  PartitionRun,
} from '../../../../src/server/contract/asset.ts';
import { segment } from '../../api/client.ts';
import { Button } from '../../components/controls.tsx';
import { Load } from '../../components/load.tsx';
import { Section } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { count, plural } from '../../lib/format.ts';
import { partitionShown } from '../../lib/status.ts';
import { type BackfillWish, requestBackfill } from '../../state/backfill-request.ts';
import { concernsAsset } from '../../state/concerns.ts';
import { requestLaunch } from '../../state/launch-request.ts';
import { useResource } from '../../state/resource.ts';
import { toastError } from '../../state/toasts.ts';
import { keysAt } from './partition-keys.ts';
import { PartitionStrip, type Span } from './partition-strip.tsx';

const SHOWN = 200;

/** Partitions of one dimension: the line, what is chosen of it, and its stretches. */
export function PartitionLine({ asset, list }: { asset: AssetDetail; list: PartitionList }) {
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const select = async (span: Span): Promise<void> => {
    try {
      const [start, end] = await keysAt(asset.key, span, list);
      setChosen({ ...span, start, end });
    } catch (error) {
      toastError('The keys of these partitions could not be read', error);
    }
  };
  return (
    <>
      <div class="card">
        <PartitionStrip list={list} selected={chosen} onSelect={(span) => void select(span)} />
      </div>
      <div class="matrix-foot" role="status">
        {chosen === null ? (
          <span class="faint">Click a stretch, or drag over a part of the line.</span>
        ) : (
          <>
            <strong class="mono">
              {chosen.from === chosen.to ? chosen.start : `${chosen.start} … ${chosen.end}`}
            </strong>
            <span class="faint">{plural(chosen.to - chosen.from + 1, 'partition')}</span>
            <span class="grow" />
            <Button disabled={!asset.enabled} onClick={() => materialize(asset, chosen)}>
              Materialize…
            </Button>
            <Button
              kind="primary"
              icon="backfills"
              disabled={!asset.enabled}
              onClick={() => requestBackfill(wishOf(asset, chosen))}
            >
              Backfill…
            </Button>
          </>
        )}
      </div>
      <Section title="Stretches" aside={<span class="faint">newest first</span>}>
        {list.states === null ? (
          <Stretches
            asset={asset}
            items={[...list.ranges].reverse().slice(0, SHOWN)}
            more={list.ranges.length - SHOWN}
          />
        ) : (
          <FetchedStretches asset={asset} />
        )}
      </Section>
    </>
  );
}

/** Ends of a choice by place and by key. */
interface Chosen extends Span {
  readonly start: string;
  readonly end: string;
}

function materialize(asset: AssetDetail, { start, end }: Chosen): void {
  requestLaunch(
    start === end
      ? { kind: 'assets', assets: [asset], keys: [start] }
      : { kind: 'assets', assets: [asset], range: { start, end } },
  );
}

function wishOf(asset: AssetDetail, { from, to, start, end }: Chosen): BackfillWish {
  return { assets: [asset], range: { start, end }, span: { from, to } };
}

/** Of very many the newest, whose keys the list itself does not hold. */
function FetchedStretches({ asset }: { asset: AssetDetail }) {
  const newest = useResource<PartitionRanges>(
    `/assets/${segment(asset.key)}/partitions/ranges?limit=${SHOWN}`,
    concernsAsset(asset.key),
  );
  return (
    <Load from={newest} what="Stretches">
      {({ items, more }) => <Stretches asset={asset} items={items} more={more} />}
    </Load>
  );
}

function Stretches({
  asset,
  items,
  more,
}: {
  asset: AssetDetail;
  items: readonly PartitionRun[];
  more: number;
}) {
  return (
    <>
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
            {items.map((stretch) => (
              <Stretch key={stretch.from} asset={asset} stretch={stretch} />
            ))}
          </tbody>
        </table>
      </div>
      {more > 0 && <p class="faint more-line">and {count(more)} older stretches</p>}
    </>
  );
}

function Stretch({ asset, stretch }: { asset: AssetDetail; stretch: PartitionRun }) {
  const { from, to, from_key, to_key, status } = stretch;
  const chosen: Chosen = { from, to, start: from_key, end: to_key };
  const lacks = status === 'missing' || status === 'failed';
  return (
    <tr data-row>
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
        <Button kind="quiet" icon="play" disabled={!asset.enabled} onClick={() => materialize(asset, chosen)}>
          Materialize…
        </Button>
        <Button
          kind="quiet"
          icon="backfills"
          disabled={!asset.enabled}
          onClick={() =>
            requestBackfill({ ...wishOf(asset, chosen), only: lacks ? ['missing', 'failed'] : [] })
          }
        >
          Backfill…
        </Button>
      </td>
    </tr>
  );
}

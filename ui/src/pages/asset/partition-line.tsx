import { useEffect, useState } from 'preact/hooks';
import type {
  AssetDetail,
  PartitionList,
  PartitionRanges,
  PartitionRun,
  PartitionState,
} from '../../../../src/server/contract/asset.ts';
import { segment } from '../../api/client.ts';
import { Button } from '../../components/controls.tsx';
import { Load } from '../../components/load.tsx';
import { Section } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { count, plural } from '../../lib/format.ts';
import { partitionShown } from '../../lib/status.ts';
import { query, setQuery } from '../../router.ts';
import { requestBackfill } from '../../state/backfill-request.ts';
import type { BackfillWish } from '../../state/backfill-wish.ts';
import { concernsAsset } from '../../state/concerns.ts';
import { requestLaunch } from '../../state/launch-request.ts';
import { useResource } from '../../state/resource.ts';
import { toastError } from '../../state/toasts.ts';
import { CalendarView } from './calendar-view.tsx';
import { PartitionFacts } from './partition-facts.tsx';
import { keysAt } from './partition-keys.ts';
import { PartitionStrip, type Span } from './partition-strip.tsx';

const SHOWN = 200;
/** Keys are asked for when a drag rests. */
const SETTLE_MS = 150;

/** Partitions of one dimension: the line, a calendar of them, what is chosen, and the stretches. */
export function PartitionLine({
  asset,
  list,
  state,
}: {
  asset: AssetDetail;
  list: PartitionList;
  /** Only stretches of this state; '' of all. */
  state: PartitionState | '';
}) {
  const [span, setSpan] = useState<Span | null>(() => readSpan(query('sel'), list.info.counts.total));
  const keys = useSpanKeys(asset.key, list, span);
  return (
    <>
      <div class="card">
        <PartitionStrip list={list} selected={span} onSelect={setSpan} />
      </div>
      {list.info.type === 'time' && (
        <CalendarView asset={asset} list={list} chosen={span} onSelect={setSpan} />
      )}
      <div class="matrix-foot" role="status">
        {span === null ? (
          <span class="faint">Click a stretch, or drag over a part of the line.</span>
        ) : (
          <ChosenSpan asset={asset} list={list} span={span} keys={keys} />
        )}
      </div>
      <Section title="Stretches" aside={<span class="faint">newest first</span>}>
        {list.states === null ? (
          <Stretches
            asset={asset}
            {...newest(list.ranges.filter(({ status }) => state === '' || status === state))}
          />
        ) : (
          <FetchedStretches asset={asset} state={state} />
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

function ChosenSpan({
  asset,
  list,
  span,
  keys,
}: {
  asset: AssetDetail;
  list: PartitionList;
  span: Span;
  keys: readonly [string, string] | null;
}) {
  const total = span.to - span.from + 1;
  const lacking = list.ranges.reduce(
    (sum, { from, to, status }) =>
      status === 'missing' || status === 'failed'
        ? sum + Math.max(0, Math.min(to, span.to) - Math.max(from, span.from) + 1)
        : sum,
    0,
  );
  const chosen: Chosen | null = keys === null ? null : { ...span, start: keys[0], end: keys[1] };
  const disabled = !asset.enabled || chosen === null;
  return (
    <>
      {chosen !== null && (
        <strong class="mono">{total === 1 ? chosen.start : `${chosen.start} … ${chosen.end}`}</strong>
      )}
      {total === 1 && chosen !== null ? (
        <PartitionFacts assetKey={asset.key} partition={chosen.start} />
      ) : (
        <span class="faint">
          {plural(total, 'partition')}, {count(lacking)} of them missing or failed
        </span>
      )}
      <span class="grow" />
      <Button icon="play" disabled={disabled} onClick={() => chosen !== null && materialize(asset, chosen)}>
        Materialize…
      </Button>
      <Button
        kind="primary"
        icon="backfills"
        disabled={disabled}
        onClick={() =>
          chosen !== null &&
          requestBackfill({ ...wishOf(asset, chosen), only: lacking === 0 ? [] : ['missing', 'failed'] })
        }
      >
        {lacking === 0 ? 'Backfill…' : `Backfill ${count(lacking)} of ${count(total)}…`}
      </Button>
    </>
  );
}

/** The keys at the ends; null while they are being asked for. The address follows. */
function useSpanKeys(
  assetKey: string,
  list: PartitionList,
  span: Span | null,
): readonly [string, string] | null {
  const [keys, setKeys] = useState<(Span & { readonly keys: readonly [string, string] }) | null>(null);
  useEffect(() => {
    const timer = window.setTimeout(() => {
      setQuery({ sel: span === null ? '' : `${span.from}-${span.to}` });
      if (span === null) return;
      keysAt(assetKey, span, list).then(
        (found) => setKeys({ ...span, keys: found }),
        (error: unknown) => toastError('The keys of these partitions could not be read', error),
      );
    }, SETTLE_MS);
    return () => window.clearTimeout(timer);
  }, [span?.from, span?.to]);
  return span !== null && keys?.from === span.from && keys.to === span.to ? keys.keys : null;
}

function readSpan(text: string, total: number): Span | null {
  const match = /^(\d+)-(\d+)$/.exec(text);
  if (match === null) return null;
  const [from, to] = [Number(match[1]), Number(match[2])];
  return from <= to && to < total ? { from, to } : null;
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

function newest(ranges: readonly PartitionRun[]): { items: PartitionRun[]; more: number } {
  return { items: [...ranges].reverse().slice(0, SHOWN), more: ranges.length - SHOWN };
}

/** Of very many the newest, whose keys the list itself does not hold. */
function FetchedStretches({ asset, state }: { asset: AssetDetail; state: PartitionState | '' }) {
  const found = useResource<PartitionRanges>(
    `/assets/${segment(asset.key)}/partitions/ranges?limit=${SHOWN}${state === '' ? '' : `&status=${state}`}`,
    concernsAsset(asset.key),
  );
  return (
    <Load from={found} what="Stretches">
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
  if (items.length === 0) return <p class="faint">None is so.</p>;
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
      {more > 0 && <p class="faint more-line">and {plural(more, 'older stretch', 'older stretches')}</p>}
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

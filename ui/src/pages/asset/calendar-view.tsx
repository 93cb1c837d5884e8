import { useMemo, useState } from 'preact/hooks';
import type { AssetDetail, PartitionList } from '../../../../src/server/contract/asset.ts';
import type { Calendar } from '../../../../src/server/contract/history.ts';
import { get, segment } from '../../api/client.ts';
import { Button } from '../../components/controls.tsx';
import { Load } from '../../components/load.tsx';
import { Section } from '../../components/page.tsx';
import { rangeAt } from '../../lib/buckets.ts';
import { type CalendarGrid, calendarGrid } from '../../lib/calendar.ts';
import { type Area, ordered } from '../../lib/cells.ts';
import { query, setQuery } from '../../router.ts';
import { isDefinitionEvent } from '../../state/concerns.ts';
import { useResource } from '../../state/resource.ts';
import { toastError } from '../../state/toasts.ts';
import { MatrixGrid } from './matrix-grid.tsx';
import { openRunOf, PartitionCard } from './partition-facts.tsx';
import { keysAt } from './partition-keys.ts';
import type { Span } from './partition-strip.tsx';

const UNITS = { hour: 'Hours by day', day: 'Days by week', week: 'Weeks by year', month: 'Months by year' };

/** Time partitions where a calendar has them, a page at a time. What is chosen is a stretch of time. */
export function CalendarView({
  asset,
  list,
  chosen,
  onSelect,
}: {
  asset: AssetDetail;
  list: PartitionList;
  chosen: Span | null;
  onSelect: (span: Span) => void;
}) {
  const before = query('before');
  const { total } = list.info.counts;
  // A new window makes a new page: the number of partitions is part of what is asked.
  const path = `/assets/${segment(asset.key)}/partitions/calendar?${/^\d+$/.test(before) ? `before=${before}` : `of=${total}`}`;
  const calendar = useResource<Calendar>(path, isDefinitionEvent);
  return (
    <Load from={calendar} what="The calendar" skeleton={<div class="calendar-space" />}>
      {(page) =>
        page.unit === null ? null : (
          <Section
            title={UNITS[page.unit]}
            aside={
              <>
                <span class="faint">{page.timezone}</span>
                <Button
                  kind="quiet"
                  disabled={page.from === 0}
                  onClick={() => setQuery({ before: String(page.from) })}
                >
                  ← Older
                </Button>
                <Button kind="quiet" disabled={before === ''} onClick={() => setQuery({ before: '' })}>
                  Newest
                </Button>
              </>
            }
          >
            <Page asset={asset} list={list} page={page} chosen={chosen} onSelect={onSelect} />
          </Section>
        )
      }
    </Load>
  );
}

function Page({
  asset,
  list,
  page,
  chosen,
  onSelect,
}: {
  asset: AssetDetail;
  list: PartitionList;
  page: Calendar;
  chosen: Span | null;
  onSelect: (span: Span) => void;
}) {
  const calendar = useMemo(
    () => calendarGrid(page, (place) => rangeAt(list.ranges, place)?.status ?? 'missing'),
    [page, list],
  );
  const [area, setArea] = useState<Area | null>(() => (calendar === null ? null : areaOf(calendar, chosen)));
  if (calendar === null) return null;
  const { grid, placeAt } = calendar;
  const choose = (next: Area): void => {
    setArea(next);
    const [from, to] = [placeIn(calendar, next, 'from'), placeIn(calendar, next, 'to')];
    if (from === null || to === null) return;
    const [first, last] = ordered(from, to);
    onSelect({ from: first, to: last });
  };
  const open = async (row: number, column: number): Promise<void> => {
    const place = placeAt(row, column);
    if (place === null) return;
    try {
      const [key] = await keysAt(asset.key, { from: place, to: place }, list);
      await openRunOf(asset.key, key);
    } catch (error) {
      toastError('The partition could not be read', error);
    }
  };
  return (
    <MatrixGrid
      grid={grid}
      label={`Partitions of ${asset.key} on a calendar`}
      heads={page.unit === 'day' ? 'columns' : 'rows'}
      area={area}
      onArea={choose}
      isSelected={(row, column) => {
        const place = placeAt(row, column);
        return chosen !== null && place !== null && place >= chosen.from && place <= chosen.to;
      }}
      popover={(row, column) => {
        const place = placeAt(row, column);
        return place === null ? null : <Cell key={place} asset={asset} list={list} place={place} />;
      }}
      onOpen={(row, column) => void open(row, column)}
    />
  );
}

/** Of a place only the service knows the key. */
function Cell({ asset, list, place }: { asset: AssetDetail; list: PartitionList; place: number }) {
  const keys = useResource<[string, string]>(
    `/assets/${segment(asset.key)}/partition-keys?at=${place}`,
    isDefinitionEvent,
    async () => {
      const path = `/assets/${segment(asset.key)}/partition-keys?at=${place}`;
      const { items } = await get<{ items: { key: string }[] }>(path);
      return [items[0]?.key ?? '', ''];
    },
  );
  const key = keys.data.value?.[0];
  if (key === undefined) return <p class="faint">Loading…</p>;
  const status = rangeAt(list.ranges, place)?.status ?? 'missing';
  return <PartitionCard assetKey={asset.key} partition={key} status={status} />;
}

function areaOf(calendar: CalendarGrid, span: Span | null): Area | null {
  const from = span === null ? null : calendar.cellOf(span.from);
  const to = span === null ? null : calendar.cellOf(span.to);
  return from === null || to === null ? null : { ...from, toRow: to.row, toColumn: to.column };
}

/** The place at one end of an area; a head's line begins and ends where it has partitions. */
function placeIn(calendar: CalendarGrid, area: Area, end: 'from' | 'to'): number | null {
  const [row, column] = end === 'from' ? [area.row, area.column] : [area.toRow, area.toColumn];
  const exact = calendar.placeAt(row, column);
  if (exact !== null) return exact;
  const step = end === 'from' ? 1 : -1;
  const across = area.row === area.toRow;
  for (let at = step; Math.abs(at) < 60; at += step) {
    const place = across ? calendar.placeAt(row, column + at) : calendar.placeAt(row + at, column);
    if (place !== null) return place;
  }
  return null;
}

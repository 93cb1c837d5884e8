import type { Signal } from '@preact/signals';
import { useMemo, useRef } from 'preact/hooks';
import type { AssetSummary } from '../../../../src/server/contract/asset.ts';
import { narrow } from '../../components/media.ts';
import { usePageWindow } from '../../components/virtual.ts';
import { useTrends } from '../../state/trends.ts';
import { AssetRow, isRunnable } from './asset-row.tsx';

type Line =
  | { readonly kind: 'group'; readonly group: string; readonly members: readonly AssetSummary[] }
  | { readonly kind: 'asset'; readonly asset: AssetSummary };

/** The heights that the style sheet gives to the lines. */
const GROUP_PX = 40;
const ROW_PX = 48;
const CARD_PX = 84;

/** A table of which only the visible rows are in the document: a thousand assets scroll like twelve. */
export function AssetList({
  assets,
  grouped,
  selected,
}: {
  assets: readonly AssetSummary[];
  grouped: boolean;
  selected: Signal<ReadonlySet<string>>;
}) {
  const frame = useRef<HTMLDivElement>(null);
  const rowHeight = narrow.value ? CARD_PX : ROW_PX;
  const lines = useMemo(() => linesOf(assets, grouped), [assets, grouped]);
  const offsets = useMemo(() => {
    const tops = [0];
    for (const line of lines) tops.push((tops.at(-1) ?? 0) + (line.kind === 'group' ? GROUP_PX : rowHeight));
    return tops;
  }, [lines, rowHeight]);
  const { first, last } = usePageWindow(frame, offsets);
  useTrends(
    lines
      .slice(first, last)
      .flatMap((line) => (line.kind === 'asset' && line.asset.latest?.rows != null ? [line.asset.key] : [])),
  );
  const anchor = useRef<string | null>(null);
  const toggle = (keys: readonly string[], on: boolean): void => {
    const next = new Set(selected.peek());
    for (const key of keys) {
      if (on) next.add(key);
      else next.delete(key);
    }
    selected.value = next;
  };
  /** With Shift all from the one that was chosen last to this one, as they stand. */
  const choose = (key: string, on: boolean, extend: boolean): void => {
    const keys = lines.flatMap((line) =>
      line.kind === 'asset' && isRunnable(line.asset) ? [line.asset.key] : [],
    );
    const [from, to] = [keys.indexOf(anchor.current ?? ''), keys.indexOf(key)];
    anchor.current = key;
    if (!extend || from === -1) toggle([key], on);
    else toggle(keys.slice(Math.min(from, to), Math.max(from, to) + 1), true);
  };
  return (
    <div class="asset-table" role="table" aria-label="Assets" aria-rowcount={lines.length + 1}>
      <div role="rowgroup" class="asset-head">
        <div role="row" class="asset-row head" aria-rowindex={1}>
          <span role="columnheader">
            <span class="sr-only">Select</span>
          </span>
          <span role="columnheader">State</span>
          <span role="columnheader">Asset</span>
          <span role="columnheader">Partitions</span>
          <span role="columnheader">Last 20 runs</span>
          <span role="columnheader">Latest</span>
          <span role="columnheader">Rows</span>
          <span role="columnheader">Schedule</span>
          <span role="columnheader">Owner</span>
          <span role="columnheader">Commit</span>
        </div>
      </div>
      <div ref={frame} role="rowgroup" class="asset-body" style={{ height: `${offsets.at(-1) ?? 0}px` }}>
        {lines.slice(first, last).map((line, index) => {
          const at = first + index;
          const top = offsets[at] ?? 0;
          if (line.kind === 'group') {
            return (
              <GroupRow
                key={`g ${line.group}`}
                line={line}
                top={top}
                index={at}
                selected={selected.value}
                toggle={toggle}
              />
            );
          }
          const { key } = line.asset;
          return (
            <AssetRow
              key={key}
              asset={line.asset}
              top={top}
              index={at}
              selected={selected.value.has(key)}
              onSelect={(on, extend) => choose(key, on, extend)}
            />
          );
        })}
      </div>
    </div>
  );
}

function GroupRow({
  line,
  top,
  index,
  selected,
  toggle,
}: {
  line: Extract<Line, { kind: 'group' }>;
  top: number;
  index: number;
  selected: ReadonlySet<string>;
  toggle: (keys: readonly string[], on: boolean) => void;
}) {
  const keys = line.members.filter(isRunnable).map(({ key }) => key);
  const chosen = keys.filter((key) => selected.has(key)).length;
  return (
    <div
      role="row"
      class="asset-row group"
      aria-rowindex={index + 2}
      style={{ transform: `translateY(${top}px)` }}
    >
      <span role="cell" class="cell-box">
        {keys.length > 0 && (
          <input
            type="checkbox"
            aria-label={`Select group ${line.group}`}
            checked={chosen === keys.length}
            indeterminate={chosen > 0 && chosen < keys.length}
            onChange={(event) => toggle(keys, event.currentTarget.checked)}
          />
        )}
      </span>
      <span role="rowheader" class="group-title" aria-colspan={9}>
        <bdi>{line.group}</bdi> <span class="count">{line.members.length}</span>
      </span>
    </div>
  );
}

function linesOf(assets: readonly AssetSummary[], grouped: boolean): Line[] {
  if (!grouped) return assets.map((asset) => ({ kind: 'asset', asset }));
  const lines: Line[] = [];
  for (const [group, members] of Map.groupBy(assets, ({ group }) => group)) {
    lines.push({ kind: 'group', group, members });
    for (const asset of members) lines.push({ kind: 'asset', asset });
  }
  return lines;
}

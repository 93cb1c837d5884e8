import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { PartitionList, PartitionState } from '../../../../src/server/contract/asset.ts';
import { rangeAt } from '../../lib/buckets.ts';
import { lookOf } from '../../lib/cells.ts';
import { plural } from '../../lib/format.ts';
import { partitionShown } from '../../lib/status.ts';
import { STRIP_WIDTH, stripPaths } from '../../lib/strip-paths.ts';

type Range = PartitionList['ranges'][number];

/** Ordinals of the first and the last partition. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

const WORST_FIRST: readonly PartitionState[] = ['failed', 'in_progress', 'missing', 'materialized'];
const LOOK = { worstFirst: WORST_FIRST, toneOf: (status: PartitionState) => partitionShown(status).tone };
/** Below this many pixels a press is a click and not a drag. */
const DRAG_PX = 4;

/**
 * All partitions in their order on one line, by state. Pointing at it names the stretch; a click selects it, a drag what
 * lies between, Shift with a click extends what was selected.
 */
export function PartitionStrip({
  list,
  onSelect,
  selected = null,
  lit,
}: {
  list: PartitionList;
  onSelect: (span: Span) => void;
  selected?: Span | null;
  /** Letters of the states that are meant; the others step back. */
  lit?: string;
}) {
  const [over, setOver] = useState<Range | null>(null);
  const [drag, setDrag] = useState<(Span & { readonly startX: number; readonly moved: boolean }) | null>(
    null,
  );
  const picture = useRef<SVGSVGElement>(null);
  const { counts, first_key, last_key } = list.info;
  const { total } = counts;
  // Not at each move of the pointer: there can be a hundred thousand of them.
  const paths = useMemo(() => stripPaths(list.ranges, total, LOOK), [list]);
  const meant = lit === undefined ? null : new Set(lit.split('').map((letter) => lookOf(letter)[0]));
  const ordinalAt = (clientX: number): number => {
    const box = picture.current?.getBoundingClientRect();
    if (box === undefined || box.width === 0) return 0;
    return Math.max(0, Math.min(total - 1, Math.floor(((clientX - box.left) / box.width) * total)));
  };
  const move = (event: PointerEvent): void => {
    if (drag === null) setOver(rangeAt(list.ranges, ordinalAt(event.clientX)) ?? null);
    else {
      const moved = drag.moved || Math.abs(event.clientX - drag.startX) >= DRAG_PX;
      setDrag({ ...drag, to: ordinalAt(event.clientX), moved });
    }
  };
  const begin = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    const at = ordinalAt(event.clientX);
    const extends_ = event.shiftKey && selected !== null;
    const from = !extends_ ? at : at < selected.from ? selected.to : selected.from;
    picture.current?.setPointerCapture(event.pointerId);
    setOver(null);
    setDrag({ from, to: at, startX: event.clientX, moved: extends_ });
  };
  const end = (event: PointerEvent): void => {
    if (drag === null) return;
    setDrag(null);
    if (drag.moved) onSelect(ordered({ from: drag.from, to: ordinalAt(event.clientX) }));
    else {
      const range = rangeAt(list.ranges, ordinalAt(event.clientX));
      if (range !== undefined) onSelect({ from: range.from, to: range.to });
    }
  };
  useEffect(() => {
    if (drag === null) return;
    const stop = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') setDrag(null);
    };
    window.addEventListener('keydown', stop);
    return () => window.removeEventListener('keydown', stop);
  }, [drag === null]);
  if (total === 0) return <p class="faint">No partition exists yet.</p>;
  const label = `${plural(total, 'partition')}: ${counts.materialized} materialized, ${counts.failed} failed, ${counts.in_progress} in progress, ${counts.missing} missing`;
  const marked = drag?.moved === true ? ordered(drag) : selected;
  return (
    <div class="partition-strip">
      <svg
        ref={picture}
        class="pickable"
        viewBox={`0 0 ${STRIP_WIDTH} 24`}
        preserveAspectRatio="none"
        role="img"
        aria-label={label}
        onPointerDown={begin}
        onPointerMove={move}
        onPointerUp={end}
        onPointerCancel={() => setDrag(null)}
        onPointerLeave={() => setOver(null)}
      >
        {paths.map(([tone, d]) => (
          <path key={tone} class={meant?.has(tone) === false ? `tone-${tone} unlit` : `tone-${tone}`} d={d} />
        ))}
        {marked !== null && (
          <rect
            class="strip-marked"
            x={(marked.from / total) * STRIP_WIDTH}
            width={Math.max(2, ((marked.to - marked.from + 1) / total) * STRIP_WIDTH)}
            y="0"
            height="24"
          />
        )}
      </svg>
      <div class="strip-caption">
        <span class="mono">{first_key}</span>
        <span class="strip-over">
          {drag?.moved === true && marked !== null
            ? plural(marked.to - marked.from + 1, 'partition')
            : over === null
              ? ''
              : `${rangeText(over)} · ${partitionShown(over.status).text.toLowerCase()}`}
        </span>
        <span class="mono">{last_key}</span>
      </div>
    </div>
  );
}

function rangeText({ from, to, from_key, to_key }: Range): string {
  const number = plural(to - from + 1, 'partition');
  if (from_key === '') return number;
  return from === to ? from_key : `${from_key} … ${to_key} (${number})`;
}

function ordered({ from, to }: Span): Span {
  return from <= to ? { from, to } : { from: to, to: from };
}

import type { ComponentChildren } from 'preact';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { type Area, type Grid, isIn, lookOf } from '../../lib/cells.ts';

const CELL = 28;
const EDGE = 6;
/** A pointer that only passes by shows nothing. */
const HOVER_MS = 120;
const POPOVER_WIDTH = 250;
const STEPS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  Home: [0, -100_000],
  End: [0, 100_000],
  PageUp: [-10, 0],
  PageDown: [10, 0],
};

interface Cell {
  readonly row: number;
  readonly column: number;
}

/**
 * Partitions as cells, time across. Of a large set only the visible cells are in the document. Arrows move, Shift with
 * an arrow or a drag selects, a head selects its line (ARIA's grid pattern).
 */
export function MatrixGrid({
  grid,
  label,
  area,
  onArea,
  isSelected = (row, column) => area !== null && isIn(area, row, column),
  heads = 'both',
  none = 'no partition',
  popover,
  onOpen,
}: {
  grid: Grid;
  label: string;
  area: Area | null;
  onArea: (area: Area) => void;
  isSelected?: (row: number, column: number) => boolean;
  /** Which heads choose their line. */
  heads?: 'both' | 'rows' | 'columns';
  /** What a cell is that holds nothing. */
  none?: string;
  /** What is said beside a cell that is pointed at or focused; null: nothing. */
  popover?: (row: number, column: number) => ComponentChildren;
  onOpen?: (row: number, column: number) => void;
}) {
  const frame = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ top: 0, left: 0, width: 1200, height: 600 });
  const [dragging, setDragging] = useState(false);
  const [over, setOver] = useState<Cell | null>(null);
  const hover = useRef(0);
  const focusMoved = useRef(false);
  const popoverId = useId();
  const rows = grid.rows.keys;
  const columns = grid.columns.keys;
  const longest = Math.max(...columns.map((key) => key.length));
  const flat = longest <= 3;
  const corner = `${grid.rows.name} / ${grid.columns.name}`;
  const widest = Math.max(...rows.map((key) => key.length), flat ? corner.length - 2 : grid.rows.name.length);
  const headWidth = Math.min(180, 28 + 8 * widest);
  const headHeight = flat ? 30 : Math.min(120, 18 + 7.5 * longest);
  const active = area === null ? { row: 0, column: 0 } : { row: area.toRow, column: area.toColumn };

  useLayoutEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const measure = (): void =>
      setSeen({
        top: element.scrollTop,
        left: element.scrollLeft,
        width: element.clientWidth,
        height: element.clientHeight,
      });
    measure();
    // Time runs to the right: the newest partitions are what one comes for.
    element.scrollLeft = element.scrollWidth;
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener('scroll', measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', measure);
    };
  }, [rows.length, columns.length]);

  useEffect(() => {
    if (!focusMoved.current) return;
    focusMoved.current = false;
    frame.current?.querySelector<HTMLElement>('[tabindex="0"]')?.focus();
  }, [area]);

  useEffect(() => {
    const end = (): void => setDragging(false);
    window.addEventListener('pointerup', end);
    return () => {
      window.removeEventListener('pointerup', end);
      window.clearTimeout(hover.current);
    };
  }, []);

  const point = (cell: Cell | null): void => {
    window.clearTimeout(hover.current);
    if (cell === null) setOver(null);
    else hover.current = window.setTimeout(() => setOver(cell), HOVER_MS);
  };
  const press = (row: number, column: number, extend: boolean): void => {
    if (extend && area !== null) onArea({ ...area, toRow: row, toColumn: column });
    else onArea({ row, column, toRow: row, toColumn: column });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' && over !== null) {
      point(null);
      return;
    }
    if (event.key === 'Enter' && onOpen !== undefined && isCell(event.target)) {
      event.preventDefault();
      onOpen(active.row, active.column);
      return;
    }
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const row = Math.max(0, Math.min(rows.length - 1, active.row + step[0]));
    const column = Math.max(0, Math.min(columns.length - 1, active.column + step[1]));
    reveal(row, column);
    focusMoved.current = true;
    press(row, column, event.shiftKey);
    point(event.shiftKey ? null : { row, column });
  };
  const reveal = (row: number, column: number): void => {
    const element = frame.current;
    if (element === null) return;
    const x = column * CELL;
    const y = row * CELL;
    const right = element.clientWidth - headWidth - CELL;
    const bottom = element.clientHeight - headHeight - CELL;
    element.scrollLeft = Math.max(Math.min(element.scrollLeft, x), x - right);
    element.scrollTop = Math.max(Math.min(element.scrollTop, y), y - bottom);
  };

  const firstRow = Math.max(0, Math.floor(seen.top / CELL) - 2);
  const lastRow = Math.min(rows.length, Math.ceil((seen.top + seen.height) / CELL) + 2);
  const firstColumn = Math.max(0, Math.floor(seen.left / CELL) - 2);
  const lastColumn = Math.min(columns.length, Math.ceil((seen.left + seen.width) / CELL) + 2);
  const visibleRows = range(firstRow, lastRow);
  const visibleColumns = range(firstColumn, lastColumn);
  // What has the focus stays in the document wherever one scrolls to.
  if (area !== null && !visibleRows.includes(active.row)) visibleRows.push(active.row);
  const at = { width: `${headWidth + columns.length * CELL + EDGE}px` };
  const shown = dragging || over === null ? null : (popover?.(over.row, over.column) ?? null);

  return (
    <div class="matrix-space">
      <div
        ref={frame}
        class="matrix"
        role="grid"
        aria-label={label}
        aria-multiselectable="true"
        aria-rowcount={rows.length + 1}
        aria-colcount={columns.length + 1}
        onKeyDown={onKeyDown}
        onPointerLeave={() => point(null)}
        onBlurCapture={(event) => {
          if (!event.currentTarget.contains(event.relatedTarget as Node | null)) point(null);
        }}
      >
        <div role="row" class="matrix-head" aria-rowindex={1} style={{ ...at, height: `${headHeight}px` }}>
          <span
            role="columnheader"
            class="matrix-corner"
            aria-colindex={1}
            style={{ width: `${headWidth}px`, height: `${headHeight}px` }}
          >
            {corner}
          </span>
          {visibleColumns.map((column) => (
            <button
              key={column}
              type="button"
              role="columnheader"
              aria-colindex={column + 2}
              class={flat ? 'matrix-column flat' : 'matrix-column'}
              tabIndex={-1}
              disabled={heads === 'rows'}
              title={heads === 'rows' ? undefined : `Select ${columns[column]}`}
              style={{ left: `${headWidth + column * CELL}px` }}
              onClick={() => onArea({ row: 0, column, toRow: rows.length - 1, toColumn: column })}
            >
              <span>{columns[column]}</span>
            </button>
          ))}
        </div>
        <div class="matrix-body" role="rowgroup" style={{ ...at, height: `${rows.length * CELL + EDGE}px` }}>
          {visibleRows.map((row) => (
            <div
              key={row}
              role="row"
              class="matrix-row"
              aria-rowindex={row + 2}
              style={{ ...at, transform: `translateY(${row * CELL}px)` }}
            >
              <button
                type="button"
                role="rowheader"
                aria-colindex={1}
                class="matrix-name"
                tabIndex={-1}
                disabled={heads === 'columns'}
                title={heads === 'columns' ? undefined : `Select ${rows[row]}`}
                style={{ width: `${headWidth}px` }}
                onClick={() => onArea({ row, column: 0, toRow: row, toColumn: columns.length - 1 })}
              >
                <bdi>{rows[row]}</bdi>
              </button>
              {visibleColumns.map((column) => {
                const [tone, mark, word] = lookOf(grid.cells[row]?.[column]);
                const isActive = row === active.row && column === active.column;
                return (
                  <div
                    key={column}
                    role="gridcell"
                    aria-colindex={column + 2}
                    aria-selected={isSelected(row, column)}
                    aria-label={`${rows[row]}, ${columns[column]}: ${tone === 'none' ? none : word}`}
                    aria-describedby={shown !== null && isActive ? popoverId : undefined}
                    tabIndex={isActive ? 0 : -1}
                    class={`matrix-cell tone-${tone}`}
                    style={{ left: `${headWidth + column * CELL}px` }}
                    onPointerDown={(event) => {
                      // A finger scrolls; its tap is a click.
                      if (event.button !== 0 || event.pointerType === 'touch') return;
                      event.currentTarget.releasePointerCapture(event.pointerId);
                      setDragging(true);
                      press(row, column, event.shiftKey);
                    }}
                    onClick={(event) => {
                      if ((event as unknown as PointerEvent).pointerType === 'touch')
                        press(row, column, false);
                    }}
                    onPointerEnter={() => {
                      if (dragging) press(row, column, true);
                      else point({ row, column });
                    }}
                  >
                    <i>{mark}</i>
                  </div>
                );
              })}
            </div>
          ))}
        </div>
      </div>
      {shown !== null && over !== null && (
        <div
          id={popoverId}
          class="popover"
          role="tooltip"
          style={{
            left: `${Math.max(0, Math.min(seen.width - POPOVER_WIDTH, headWidth + over.column * CELL - seen.left - 20))}px`,
            top: `${headHeight + (over.row + 1) * CELL - seen.top + EDGE}px`,
          }}
        >
          {shown}
        </div>
      )}
    </div>
  );
}

function isCell(target: EventTarget | null): boolean {
  return target instanceof Element && target.getAttribute('role') === 'gridcell';
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
}

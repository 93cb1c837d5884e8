import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { PartitionList } from '../../../../src/server/contract/asset.ts';
import type { Tone } from '../../lib/status.ts';

type Matrix = NonNullable<PartitionList['matrix']>;

/** A rectangle of cells; from the cell where it began to the one where it ends. */
export interface Area {
  readonly row: number;
  readonly column: number;
  readonly toRow: number;
  readonly toColumn: number;
}

/** How a cell looks: tone, mark, word. */
type Look = readonly [Tone | 'none', string, string];

const CELL = 28;
const EDGE = 6;
const SHOWN: Readonly<Record<string, Look>> = {
  m: ['ok', '✓', 'materialized'],
  f: ['bad', '✕', 'failed'],
  i: ['run', '◔', 'in progress'],
  '.': ['idle', '', 'missing'],
  // Of a backfill.
  c: ['wait', '⊘', 'canceled'],
  s: ['warn', '–', 'skipped'],
  n: ['idle', '', 'to do'],
  '-': ['none', '', 'not of this backfill'],
};
const MISSING = SHOWN['.'] as Look;

/**
 * The 2-D partitions, time across. Of a large set only the visible cells are in the document. Arrows move, Shift with
 * an arrow or a drag selects a rectangle, a head selects its line (ARIA's grid pattern).
 */
export function MatrixGrid({
  matrix,
  area,
  onArea,
}: {
  matrix: Matrix;
  area: Area | null;
  onArea: (area: Area) => void;
}) {
  const frame = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ top: 0, left: 0, width: 1200, height: 600 });
  const [dragging, setDragging] = useState(false);
  const focusMoved = useRef(false);
  const rows = matrix.rows.keys;
  const columns = matrix.columns.keys;
  const headWidth = Math.min(
    180,
    28 + 8 * Math.max(...rows.map((key) => key.length), matrix.rows.name.length),
  );
  const headHeight = Math.min(120, 18 + 7.5 * Math.max(...columns.map((key) => key.length)));
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
  }, [matrix.rows.keys.length, matrix.columns.keys.length]);

  useEffect(() => {
    if (!focusMoved.current) return;
    focusMoved.current = false;
    frame.current?.querySelector<HTMLElement>('[tabindex="0"]')?.focus();
  }, [area]);

  useEffect(() => {
    const end = (): void => setDragging(false);
    window.addEventListener('pointerup', end);
    return () => window.removeEventListener('pointerup', end);
  }, []);

  const onKeyDown = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const row = Math.max(0, Math.min(rows.length - 1, active.row + step[0]));
    const column = Math.max(0, Math.min(columns.length - 1, active.column + step[1]));
    reveal(row, column);
    focusMoved.current = true;
    if (event.shiftKey && area !== null) onArea({ ...area, toRow: row, toColumn: column });
    else onArea({ row, column, toRow: row, toColumn: column });
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
  if (area !== null && !visibleRows.includes(active.row)) visibleRows.push(active.row);
  const at = { width: `${headWidth + columns.length * CELL + EDGE}px` };

  return (
    <div
      ref={frame}
      class="matrix"
      role="grid"
      aria-label={`${matrix.rows.name} by ${matrix.columns.name}`}
      aria-multiselectable="true"
      aria-rowcount={rows.length + 1}
      aria-colcount={columns.length + 1}
      onKeyDown={onKeyDown}
    >
      <div role="row" class="matrix-head" aria-rowindex={1} style={{ ...at, height: `${headHeight}px` }}>
        <span
          role="columnheader"
          class="matrix-corner"
          aria-colindex={1}
          style={{ width: `${headWidth}px`, height: `${headHeight}px` }}
        >
          {matrix.rows.name} / {matrix.columns.name}
        </span>
        {visibleColumns.map((column) => (
          <button
            key={column}
            type="button"
            role="columnheader"
            aria-colindex={column + 2}
            class="matrix-column"
            tabIndex={-1}
            title={`Select ${columns[column]}`}
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
              title={`Select ${rows[row]}`}
              style={{ width: `${headWidth}px` }}
              onClick={() => onArea({ row, column: 0, toRow: row, toColumn: columns.length - 1 })}
            >
              <bdi>{rows[row]}</bdi>
            </button>
            {visibleColumns.map((column) => {
              const [tone, mark, word] = SHOWN[matrix.cells[row]?.[column] ?? '.'] ?? MISSING;
              return (
                <div
                  key={column}
                  role="gridcell"
                  aria-colindex={column + 2}
                  aria-selected={area !== null && isIn(area, row, column)}
                  aria-label={`${rows[row]}, ${columns[column]}: ${word}`}
                  tabIndex={row === active.row && column === active.column ? 0 : -1}
                  class={`matrix-cell tone-${tone}`}
                  style={{ left: `${headWidth + column * CELL}px` }}
                  title={`${rows[row]} · ${columns[column]}: ${word}`}
                  onPointerDown={(event) => {
                    if (event.button !== 0) return;
                    event.currentTarget.releasePointerCapture(event.pointerId);
                    setDragging(true);
                    if (event.shiftKey && area !== null) onArea({ ...area, toRow: row, toColumn: column });
                    else onArea({ row, column, toRow: row, toColumn: column });
                  }}
                  onPointerEnter={() => {
                    if (dragging && area !== null) onArea({ ...area, toRow: row, toColumn: column });
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
  );
}

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

export function isIn(area: Area, row: number, column: number): boolean {
  return (
    row >= Math.min(area.row, area.toRow) &&
    row <= Math.max(area.row, area.toRow) &&
    column >= Math.min(area.column, area.toColumn) &&
    column <= Math.max(area.column, area.toColumn)
  );
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
}

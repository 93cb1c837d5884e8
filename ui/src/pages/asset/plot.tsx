import { useEffect, useRef, useState } from 'preact/hooks';
import UPlot from 'uplot';
import type { PlotPoint, Plots } from '../../../../src/server/contract/history.ts';
import { dark } from '../../components/media.ts';
import { exact, inZone } from '../../lib/format.ts';
import { navigate, runHref } from '../../router.ts';
import { theme } from '../../state/theme.ts';
import { commitMarks, heightRange, numberOf, titleOf, unitText } from './plot-numbers.ts';

const HEIGHT = 190;
const SYNC = 'asset-plots';
const MONO = '11px ui-monospace, Menlo, Consolas, monospace';

/** One number along time or partitions. Points are linked to their runs; a missing one is a gap, a new commit a line. */
export function Plot({ name, plots }: { name: string; plots: Plots }) {
  const { points, by } = plots;
  const space = useRef<HTMLDivElement>(null);
  const drawn = useRef<UPlot | null>(null);
  const [at, setAt] = useState<number | null>(null);
  const shownTheme = `${theme.value} ${dark.value}`;

  useEffect(() => {
    const element = space.current;
    if (element === null) return;
    const plot = new UPlot(optionsOf(name, plots, element, setAt), dataOf(name, plots), element);
    drawn.current = plot;
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
      drawn.current = null;
    };
  }, [name, plots, shownTheme]);

  const point = at === null ? undefined : points[at];
  const open = (): void => {
    if (point?.run_id != null) navigate(runHref(point.run_id));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter') open();
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    move(
      drawn.current,
      Math.max(0, Math.min(points.length - 1, at === null ? points.length - 1 : at + step)),
    );
  };
  const values = points.flatMap((one) => numberOf(one, name) ?? []);
  const last = values.at(-1);
  return (
    <figure class="plot card">
      <figcaption>
        <strong>{titleOf(name)}</strong>
        <span class="plot-at num" aria-live="polite">
          {point === undefined ? (
            <span class="faint">{last === undefined ? '' : `last ${unitText(name, last)}`}</span>
          ) : (
            <PointText point={point} name={name} by={by} />
          )}
        </span>
      </figcaption>
      {/* The role has the text of what the picture shows; the table of the tab has the numbers. */}
      <div
        ref={space}
        class="plot-space"
        tabIndex={0}
        role="slider"
        aria-label={`${titleOf(name)} by ${by}: ${values.length} of ${points.length} points`}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, points.length - 1)}
        aria-valuenow={at ?? Math.max(0, points.length - 1)}
        aria-valuetext={point === undefined ? 'none chosen' : spoken(point, name)}
        title="Click opens the run; arrows move, Enter opens"
        onKeyDown={onKeyDown}
        onClick={open}
        onBlur={() => move(drawn.current, null)}
      />
    </figure>
  );
}

function PointText({ point, name, by }: { point: PlotPoint; name: string; by: Plots['by'] }) {
  const value = numberOf(point, name);
  const at = point.at === null ? null : inZone(Date.parse(point.at), zone());
  const when = [by === 'time' ? at : null, point.partition ?? at].filter((text) => text !== null);
  return (
    <span title={point.at === null ? undefined : exact(Date.parse(point.at))}>
      <strong>{value === null ? 'none' : unitText(name, value)}</strong>{' '}
      <span class="faint">
        {[...new Set(when)].join(' · ')}
        {point.partitions > 1 && ` (${point.partitions} partitions)`}
        {point.commit !== null && ` · ${point.commit.slice(0, 7)}`}
      </span>
    </span>
  );
}

function spoken(point: PlotPoint, name: string): string {
  const value = numberOf(point, name);
  return `${point.partition ?? point.at ?? ''}: ${value === null ? 'none' : unitText(name, value)}`;
}

function zone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function dataOf(name: string, { points, by }: Plots): UPlot.AlignedData {
  const xs = points.map((point, index) => (by === 'time' ? Date.parse(point.at ?? '') / 1000 : index));
  return [xs, points.map((point) => numberOf(point, name))];
}

function move(plot: UPlot | null, at: number | null): void {
  if (plot === null) return;
  const x = at === null ? undefined : plot.data[0][at];
  plot.setCursor(x === undefined ? { left: -10, top: -10 } : { left: plot.valToPos(x, 'x'), top: 10 });
}

function optionsOf(
  name: string,
  plots: Plots,
  element: HTMLElement,
  onPoint: (at: number | null) => void,
): UPlot.Options {
  const { points, by } = plots;
  const colour = colours(element);
  const marks = commitMarks(points);
  const axis = {
    stroke: colour.ink,
    grid: { stroke: colour.line, width: 1 },
    ticks: { show: false },
    font: MONO,
  };
  return {
    width: Math.max(200, element.clientWidth),
    height: HEIGHT,
    padding: [16, 12, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      sync: { key: SYNC, setSeries: false },
      drag: { x: false, y: false },
      points: { size: 9, fill: colour.accent },
    },
    scales: {
      x: {
        time: by === 'time',
        ...(points.length < 2 ? { range: (_, low, high) => [low - 1, high + 1] } : {}),
      },
      y: { range: (_, low, high) => heightRange(low, high) },
    },
    axes: [
      {
        ...axis,
        size: 28,
        space: by === 'time' ? 90 : 110,
        ...(by === 'time'
          ? {
              values: (_: UPlot, splits: number[], __: number, ___: number, step: number) =>
                times(splits, step),
            }
          : {
              incrs: [1, 2, 5, 10, 20, 50, 100],
              values: (_: UPlot, splits: number[]) =>
                splits.map((split) => keyText(points[split]?.partition, plots)),
            }),
      },
      {
        ...axis,
        size: 62,
        space: 30,
        values: (_, splits) => splits.map((split) => unitText(name, split)),
      },
    ],
    series: [
      {},
      {
        stroke: colour.accent,
        width: 1.8,
        fill: colour.soft,
        spanGaps: false,
        points: { show: true, size: 5, fill: colour.accent, stroke: colour.accent },
      },
    ],
    hooks: {
      setCursor: [({ cursor: { idx } }) => onPoint(idx ?? null)],
      draw: [(plot) => drawMarks(plot, marks, colour.mark)],
    },
  };
}

/** A dashed line with its commit where another commit began to write. */
function drawMarks(
  plot: UPlot,
  marks: readonly { readonly at: number; readonly commit: string }[],
  colour: string,
): void {
  const { ctx, bbox } = plot;
  const ratio = window.devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.fillStyle = colour;
  ctx.lineWidth = ratio;
  ctx.textAlign = 'left';
  ctx.setLineDash([3 * ratio, 3 * ratio]);
  ctx.font = `${10 * ratio}px ui-monospace, Menlo, Consolas, monospace`;
  let free = 0;
  for (const { at, commit } of marks) {
    const x = plot.valToPos(plot.data[0][at] ?? 0, 'x', true);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top - 3 * ratio);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const text = commit.slice(0, 7);
    const width = ctx.measureText(text).width;
    const left = Math.max(bbox.left, Math.min(x - width / 2, bbox.left + bbox.width - width));
    // Where they stand too close the line says enough; its commit is in the table.
    if (left < free) continue;
    ctx.fillText(text, left, bbox.top - 6 * ratio);
    free = left + width + 6 * ratio;
  }
  ctx.restore();
}

/** Dates, or times with the date where it changes. */
function times(splits: readonly number[], step: number): string[] {
  let day = '';
  return splits.map((split) => {
    const text = inZone(split * 1000, zone(), step < 60);
    if (step >= 86_400) return text.slice(0, 10);
    const isNew = text.slice(0, 10) !== day;
    day = text.slice(0, 10);
    return isNew ? text.slice(5) : text.slice(11);
  });
}

/** Of a cell the part that lies along the axis. */
function keyText(partition: string | null | undefined, { row }: Plots): string {
  if (partition == null) return '';
  return row === null ? partition : (partition.split('|').find((part) => part !== row) ?? partition);
}

/** A canvas reads no variables: what they come to is asked of an element. */
function colours(element: HTMLElement): Record<'accent' | 'soft' | 'ink' | 'line' | 'mark', string> {
  const probe = element.ownerDocument.createElement('i');
  element.append(probe);
  const read = (value: string): string => {
    probe.style.color = value;
    return getComputedStyle(probe).color;
  };
  const found = {
    accent: read('var(--accent)'),
    soft: read('color-mix(in srgb, var(--accent) 12%, transparent)'),
    ink: read('var(--ink-3)'),
    line: read('var(--line)'),
    mark: read('var(--warn)'),
  };
  probe.remove();
  return found;
}

import { assetShown } from '../../lib/status.ts';
import type { Graph } from './graph.ts';
import { NODE, type Placed } from './layout.ts';

const MARGIN = 24;
/** Chromium draws no larger canvas. */
const LARGEST_SIDE = 16_000;
const BAR = 4;
const MOST_LETTERS = 24;

interface Palette {
  readonly ground: string;
  readonly surface: string;
  readonly line: string;
  readonly edge: string;
  readonly ink: string;
  readonly faint: string;
  readonly hues: readonly string[];
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly hue: number;
  readonly title: string;
  readonly sub: string;
}

/** The whole graph as a drawing of its own, in the colours of the theme. */
export function pictureSvg(graph: Graph, placed: Placed, hues: ReadonlyMap<string, number>): string {
  const palette = paletteOf();
  const [width, height] = [placed.width + 2 * MARGIN, placed.height + 2 * MARGIN];
  const boxes = boxesOf(graph, placed, hues).map(
    ({ x, y, hue, title, sub }) =>
      `<g transform="translate(${x} ${y})"><rect width="${NODE.width}" height="${NODE.height}" rx="9" fill="${palette.surface}" stroke="${palette.line}"/>` +
      `<rect width="${BAR}" height="${NODE.height}" fill="${palette.hues[hue]}"/>` +
      `<text x="16" y="23" font-family="ui-monospace,monospace" font-size="12" font-weight="600" fill="${palette.ink}">${escaped(title)}</text>` +
      `<text x="16" y="40" font-family="ui-sans-serif,sans-serif" font-size="11" fill="${palette.faint}">${escaped(sub)}</text></g>`,
  );
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="${-MARGIN} ${-MARGIN} ${width} ${height}">` +
    `<rect x="${-MARGIN}" y="${-MARGIN}" width="${width}" height="${height}" fill="${palette.ground}"/>` +
    `<path d="${placed.edges.map(({ d }) => d).join('')}" fill="none" stroke="${palette.edge}" stroke-width="1.4"/>` +
    `${boxes.join('')}</svg>`
  );
}

/** The same as pixels; of a graph too large for a canvas a smaller one. Null: the browser cannot. */
export function picturePng(
  graph: Graph,
  placed: Placed,
  hues: ReadonlyMap<string, number>,
): Promise<Blob | null> {
  const palette = paletteOf();
  const [width, height] = [placed.width + 2 * MARGIN, placed.height + 2 * MARGIN];
  const scale = Math.min(2, LARGEST_SIDE / width, LARGEST_SIDE / height);
  const canvas = document.createElement('canvas');
  canvas.width = Math.ceil(width * scale);
  canvas.height = Math.ceil(height * scale);
  const pen = canvas.getContext('2d');
  if (pen === null) return Promise.resolve(null);
  pen.scale(scale, scale);
  pen.fillStyle = palette.ground;
  pen.fillRect(0, 0, width, height);
  pen.translate(MARGIN, MARGIN);
  pen.strokeStyle = palette.edge;
  pen.lineWidth = 1.4;
  pen.stroke(new Path2D(placed.edges.map(({ d }) => d).join('')));
  pen.lineWidth = 1;
  for (const { x, y, hue, title, sub } of boxesOf(graph, placed, hues)) {
    pen.fillStyle = palette.surface;
    pen.strokeStyle = palette.line;
    pen.beginPath();
    pen.roundRect(x, y, NODE.width, NODE.height, 9);
    pen.fill();
    pen.stroke();
    pen.fillStyle = palette.hues[hue]!;
    pen.fillRect(x, y, BAR, NODE.height);
    pen.fillStyle = palette.ink;
    pen.font = '600 12px ui-monospace, monospace';
    pen.fillText(title, x + 16, y + 23);
    pen.fillStyle = palette.faint;
    pen.font = '11px ui-sans-serif, sans-serif';
    pen.fillText(sub, x + 16, y + 40);
  }
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
}

export function download(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function boxesOf(graph: Graph, placed: Placed, hues: ReadonlyMap<string, number>): Box[] {
  return graph.nodes.flatMap(({ id, asset, members, group }) => {
    const at = placed.at.get(id);
    if (at === undefined) return [];
    const sub =
      asset === null
        ? `${members?.length ?? 0} assets`
        : `${asset.kind === 'external' ? 'External' : assetShown(asset.state).text} · ${group}`;
    return [{ ...at, hue: hues.get(group) ?? 0, title: shortened(asset?.key ?? group), sub: shortened(sub) }];
  });
}

/** The colours as they are on the screen now: what the style sheet says depends on the theme. */
function paletteOf(): Palette {
  const probe = document.createElement('span');
  document.body.append(probe);
  const colour = (name: string): string => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const palette = {
    ground: colour('ground'),
    surface: colour('raised'),
    line: colour('line'),
    edge: colour('line-strong'),
    ink: colour('ink'),
    faint: colour('ink-3'),
    hues: Array.from({ length: 8 }, (_, hue) => colour(`hue-${hue}`)),
  };
  probe.remove();
  return palette;
}

function shortened(text: string): string {
  const letters = Array.from(text);
  return letters.length <= MOST_LETTERS ? text : `…${letters.slice(1 - MOST_LETTERS).join('')}`;
}

function escaped(text: string): string {
  return text.replace(/[<>&"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Button } from '../../components/controls.tsx';
import { Skeleton } from '../../components/feedback.tsx';
import { download, picturePng, pictureSvg } from './export-picture.ts';
import { type Graph, type GraphNode, groupHues } from './graph.ts';
import { GraphNodeBox } from './graph-node.tsx';
import { NODE } from './layout.ts';
import { Minimap } from './minimap.tsx';
import { useLayout } from './use-layout.ts';
import { centre, fit, isInside, type Size, type View, zoom } from './view-port.ts';

/** Nodes this far outside of the frame are drawn, so that a pan does not show holes. */
const MARGIN_PX = 300;
/** Below this zoom a node is lower than a finger needs (24 px): only its name is drawn, and a click zooms in. */
const FAR = 24 / NODE.height;
const NEAR = 0.8;
/** Below this one not even the name can be read: the colour of the group stands for the node. */
const TINY = 0.16;

/** A graph to pan and zoom. Moving it is one transform; only nodes in view are in the document. */
export function GraphView({
  graph,
  selected,
  onSelect,
  wheelZooms,
}: {
  graph: Graph;
  selected: string | null;
  onSelect: (node: GraphNode | null) => void;
  /** Else the wheel scrolls the page, and zooms with Ctrl. */
  wheelZooms: boolean;
}) {
  const { placed, graph: shown, slow, cancel } = useLayout(graph);
  const frame = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  const [view, setView] = useState<View | null>(null);
  const drag = useRef<{ x: number; y: number; moved: boolean } | null>(null);
  const hues = useMemo(() => groupHues(graph.nodes.map(({ group }) => group)), [graph]);
  // States come from the newest graph, places from the one that was laid out.
  const fresh = useMemo(() => new Map(graph.nodes.map((node) => [node.id, node])), [graph]);

  useLayoutEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const observer = new ResizeObserver(() =>
      setSize({ width: element.clientWidth, height: element.clientHeight }),
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (placed !== null && size.width > 0) setView((old) => old ?? fit(placed, size));
  }, [placed, size.width > 0]);
  useEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const onWheel = (event: WheelEvent): void => {
      if (!wheelZooms && !event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const box = element.getBoundingClientRect();
      const factor = Math.exp(-Math.max(-120, Math.min(120, event.deltaY)) / 300);
      setView((old) => old && zoom(old, factor, { x: event.clientX - box.left, y: event.clientY - box.top }));
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, [wheelZooms]);

  // What was selected elsewhere is brought into sight, to be read; what was clicked here is there already.
  useEffect(() => {
    const at = selected === null ? undefined : placed?.at.get(selected);
    if (at === undefined || size.width === 0) return;
    const point = { x: at.x + NODE.width / 2, y: at.y + NODE.height / 2 };
    setView((old) =>
      old === null || (old.scale >= FAR && isInside(old, point, size))
        ? old
        : centre({ ...old, scale: Math.max(old.scale, NEAR) }, point, size),
    );
  }, [selected, placed, size.width > 0]);

  const visible = useMemo(() => {
    if (placed === null || view === null || shown === null) return [];
    const left = (-view.x - MARGIN_PX) / view.scale - NODE.width;
    const right = (size.width - view.x + MARGIN_PX) / view.scale;
    const top = (-view.y - MARGIN_PX) / view.scale - NODE.height;
    const bottom = (size.height - view.y + MARGIN_PX) / view.scale;
    return shown.nodes.filter(({ id }) => {
      const at = placed.at.get(id);
      return at !== undefined && at.x > left && at.x < right && at.y > top && at.y < bottom;
    });
  }, [placed, shown, view, size]);
  const edges = useMemo(() => placed?.edges.map(({ d }) => d).join('') ?? '', [placed]);
  const near = useMemo(
    () => placed?.edges.filter(({ from, to }) => from === selected || to === selected) ?? [],
    [placed, selected],
  );

  const isFar = view !== null && view.scale < FAR;
  const zoomBy = (factor: number): void =>
    setView((old) => old && zoom(old, factor, { x: size.width / 2, y: size.height / 2 }));
  const onKeyDown = (event: KeyboardEvent): void => {
    if (placed === null) return;
    if (event.key === '+' || event.key === '=') zoomBy(1.25);
    else if (event.key === '-') zoomBy(0.8);
    else if (event.key === '0') setView(fit(placed, size));
    else {
      const next = selected === null ? null : step(event.key, selected);
      if (next === null) return;
      const at = placed.at.get(next);
      onSelect(fresh.get(next) ?? null);
      if (at !== undefined)
        setView((old) => old && centre(old, { x: at.x + NODE.width / 2, y: at.y + NODE.height / 2 }, size));
    }
    event.preventDefault();
  };
  /** Left and right follow the edges; up and down the nodes of the same column. */
  const step = (key: string, from: string): string | null => {
    if (placed === null) return null;
    if (key === 'ArrowLeft') return placed.edges.find(({ to }) => to === from)?.from ?? null;
    if (key === 'ArrowRight') return placed.edges.find((edge) => edge.from === from)?.to ?? null;
    if (key !== 'ArrowUp' && key !== 'ArrowDown') return null;
    const here = placed.at.get(from);
    if (here === undefined) return null;
    const column = [...placed.at]
      .filter(([, at]) => Math.abs(at.x - here.x) < NODE.width / 2)
      .sort(([, a], [, b]) => a.y - b.y);
    const at = column.findIndex(([id]) => id === from);
    return column[at + (key === 'ArrowDown' ? 1 : -1)]?.[0] ?? null;
  };

  const saveSvg = (): void => {
    if (placed === null) return;
    download(new Blob([pictureSvg(graph, placed, hues)], { type: 'image/svg+xml' }), 'lineage.svg');
  };
  const savePng = async (): Promise<void> => {
    const picture = placed === null ? null : await picturePng(graph, placed, hues);
    if (picture !== null) download(picture, 'lineage.png');
  };

  return (
    <div
      ref={frame}
      class={`graph${isFar ? ' far' : ''}${isFar && view.scale < TINY ? ' tiny' : ''}`}
      role="group"
      aria-label="Lineage graph. Arrow keys follow the edges; the list shows the same."
      onKeyDown={onKeyDown}
      onPointerDown={(event) => {
        if (event.button !== 0 || (event.target as Element).closest('button, a') !== null) return;
        drag.current = { x: event.clientX, y: event.clientY, moved: false };
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) => {
        const from = drag.current;
        if (from === null) return;
        const dx = event.clientX - from.x;
        const dy = event.clientY - from.y;
        drag.current = {
          x: event.clientX,
          y: event.clientY,
          moved: from.moved || Math.abs(dx) + Math.abs(dy) > 2,
        };
        setView((old) => old && { ...old, x: old.x + dx, y: old.y + dy });
      }}
      onPointerUp={(event) => {
        const clicked = drag.current !== null && !drag.current.moved;
        drag.current = null;
        if (!clicked) return;
        if (!isFar) {
          onSelect(null);
          return;
        }
        const box = event.currentTarget.getBoundingClientRect();
        const at = { x: event.clientX - box.left, y: event.clientY - box.top };
        setView((old) => old && zoom(old, NEAR / old.scale, at));
      }}
    >
      {placed === null && <Skeleton rows={5} />}
      {placed !== null && view !== null && (
        <div
          class="graph-world"
          style={{ transform: `translate(${view.x}px,${view.y}px) scale(${view.scale})` }}
        >
          <svg class="graph-edges" width={placed.width} height={placed.height} aria-hidden="true">
            <path d={edges} />
            {near.length > 0 && <path class="near" d={near.map(({ d }) => d).join('')} />}
          </svg>
          {visible.map((node) => {
            const at = placed.at.get(node.id);
            return at === undefined ? null : (
              <GraphNodeBox
                key={node.id}
                node={fresh.get(node.id) ?? node}
                hue={hues.get(node.group) ?? 0}
                x={at.x}
                y={at.y}
                selected={node.id === selected}
                far={isFar}
                onSelect={onSelect}
              />
            );
          })}
        </div>
      )}
      {placed !== null && view !== null && wheelZooms && (
        <Minimap placed={placed} view={view} size={size} onView={setView} />
      )}
      {slow && (
        <p class="graph-slow" role="status">
          Arranging {graph.nodes.length} nodes… <Button onClick={cancel}>Draw it plainly</Button>
        </p>
      )}
      <div class="graph-tools">
        <Button icon="plus" label="Zoom in" title="Zoom in  +" onClick={() => zoomBy(1.25)} />
        <Button icon="minus" label="Zoom out" title="Zoom out  −" onClick={() => zoomBy(0.8)} />
        <Button
          icon="fit"
          label="Fit"
          title="Fit  0"
          onClick={() => placed !== null && setView(fit(placed, size))}
        />
        {wheelZooms && placed !== null && (
          <>
            <Button label="Save as SVG" title="Save as SVG" onClick={() => saveSvg()}>
              SVG
            </Button>
            <Button label="Save as PNG" title="Save as PNG" onClick={() => void savePng()}>
              PNG
            </Button>
          </>
        )}
      </div>
    </div>
  );
}

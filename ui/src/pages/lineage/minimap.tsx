import { useMemo } from 'preact/hooks';
import { NODE, type Placed } from './layout.ts';
import { centre, type Size, type View } from './view-port.ts';

const WIDTH = 168;
const HEIGHT = 104;

/** The whole drawing, small, with the part that is in the frame; a press moves the frame there. */
export function Minimap({
  placed,
  view,
  size,
  onView,
}: {
  placed: Placed;
  view: View;
  size: Size;
  onView: (view: View) => void;
}) {
  const scale = Math.min(WIDTH / Math.max(1, placed.width), HEIGHT / Math.max(1, placed.height));
  const nodes = useMemo(() => {
    const [width, height] = [Math.max(1, NODE.width * scale), Math.max(1, NODE.height * scale)];
    return [...placed.at.values()]
      .map(({ x, y }) => `M${x * scale} ${y * scale}h${width}v${height}h${-width}z`)
      .join('');
  }, [placed, scale]);
  const inside = placed.width * view.scale <= size.width && placed.height * view.scale <= size.height;
  // What is in sight as a whole needs no map.
  if (inside) return null;
  const moveTo = (event: PointerEvent): void => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const point = { x: (event.clientX - box.left) / scale, y: (event.clientY - box.top) / scale };
    onView(centre(view, point, size));
  };
  return (
    <svg
      class="minimap"
      width={placed.width * scale}
      height={placed.height * scale}
      aria-hidden="true"
      onPointerDown={(event) => {
        event.stopPropagation();
        event.currentTarget.setPointerCapture(event.pointerId);
        moveTo(event);
      }}
      onPointerMove={(event) => {
        if (event.buttons === 1) moveTo(event);
      }}
      onPointerUp={(event) => event.stopPropagation()}
    >
      <path class="minimap-nodes" d={nodes} />
      <rect
        class="minimap-frame"
        x={(-view.x / view.scale) * scale}
        y={(-view.y / view.scale) * scale}
        width={(size.width / view.scale) * scale}
        height={(size.height / view.scale) * scale}
      />
    </svg>
  );
}

import { useRef, useState } from 'preact/hooks';
import type { Stretch } from '../lib/stretch.ts';

export interface Brush {
  /** What is being dragged across. */
  readonly shown: Stretch | null;
  readonly onPointerDown: (event: PointerEvent) => void;
  /** The click that ends a drag is none. */
  readonly onClickCapture: (event: MouseEvent) => void;
}

/** A drag shorter than this is a click. */
const DRAG_PX = 6;

/**
 * A drag along an axis of time chooses a stretch of it. By mouse only: a finger scrolls.
 * @param plane what is as wide as the axis
 * @param onChoose null: nothing can be chosen
 */
export function useBrush(
  plane: { readonly current: HTMLElement | null },
  span: Stretch,
  onChoose: ((chosen: Stretch) => void) | null,
): Brush {
  const [shown, setShown] = useState<Stretch | null>(null);
  const dragged = useRef(false);
  return {
    shown,
    onPointerDown(event) {
      const box = plane.current?.getBoundingClientRect();
      dragged.current = false;
      if (onChoose === null || box === undefined || event.button !== 0 || event.pointerType !== 'mouse')
        return;
      if (event.clientX < box.left) return;
      const timeAt = (x: number): number =>
        span.from + (Math.max(0, Math.min(box.width, x - box.left)) / box.width) * (span.to - span.from);
      const start = timeAt(event.clientX);
      let chosen: Stretch | null = null;
      const move = ({ clientX }: PointerEvent): void => {
        if (!dragged.current && Math.abs(clientX - event.clientX) < DRAG_PX) return;
        dragged.current = true;
        const end = timeAt(clientX);
        chosen = { from: Math.min(start, end), to: Math.max(start, end) };
        setShown(chosen);
      };
      const end = (): void => {
        window.removeEventListener('pointermove', move);
        window.removeEventListener('pointerup', end);
        window.removeEventListener('pointercancel', end);
        setShown(null);
        if (chosen !== null) onChoose(chosen);
      };
      window.addEventListener('pointermove', move);
      window.addEventListener('pointerup', end);
      window.addEventListener('pointercancel', end);
    },
    onClickCapture(event) {
      if (!dragged.current) return;
      dragged.current = false;
      event.preventDefault();
      event.stopPropagation();
    },
  };
}

import { useLayoutEffect, useState } from 'preact/hooks';

export interface Window {
  readonly first: number;
  /** Exclusive. */
  readonly last: number;
}

/** Rows drawn beyond the visible ones, so that a scroll does not show a gap before the next frame. */
const MARGIN_PX = 400;

/**
 * Which rows to draw of a list inside the page's own scroll. `offsets[i]` is the top of row i in pixels, one more than
 * rows: the last one is the height of all.
 */
export function usePageWindow(
  element: { readonly current: HTMLElement | null },
  offsets: readonly number[],
): Window {
  const [range, setRange] = useState<Window>({ first: 0, last: Math.min(offsets.length - 1, 60) });
  useLayoutEffect(() => {
    let frame = 0;
    const measure = (): void => {
      frame = 0;
      const top = element.current?.getBoundingClientRect().top ?? 0;
      const first = Math.max(0, indexAt(offsets, -top - MARGIN_PX));
      const last = Math.min(offsets.length - 1, indexAt(offsets, -top + window.innerHeight + MARGIN_PX) + 1);
      setRange((old) => (old.first === first && old.last === last ? old : { first, last }));
    };
    const soon = (): void => {
      if (frame === 0) frame = requestAnimationFrame(measure);
    };
    measure();
    window.addEventListener('scroll', soon, { passive: true });
    window.addEventListener('resize', soon);
    return () => {
      cancelAnimationFrame(frame);
      window.removeEventListener('scroll', soon);
      window.removeEventListener('resize', soon);
    };
  }, [offsets]);
  return { first: Math.min(range.first, offsets.length - 1), last: Math.min(range.last, offsets.length - 1) };
}

/** The row at a height; by halving. */
export function indexAt(offsets: readonly number[], y: number): number {
  let low = 0;
  let high = Math.max(0, offsets.length - 2);
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((offsets[middle] ?? 0) <= y) low = middle;
    else high = middle - 1;
  }
  return low;
}

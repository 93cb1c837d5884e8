/** Where the drawing stands in its frame: a point p is drawn at p × scale + (x, y). */
export interface View {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

const MIN_SCALE = 0.04;
const MAX_SCALE = 2;
const MARGIN = 28;

/** All of the drawing, centred, never larger than life. */
export function fit(drawing: Size, frame: Size): View {
  const scale = Math.max(
    MIN_SCALE,
    Math.min(
      1,
      (frame.width - 2 * MARGIN) / Math.max(1, drawing.width),
      (frame.height - 2 * MARGIN) / Math.max(1, drawing.height),
    ),
  );
  return {
    scale,
    x: (frame.width - drawing.width * scale) / 2,
    y: (frame.height - drawing.height * scale) / 2,
  };
}

/** Zooms; the point of the frame under the pointer stays where it is. */
export function zoom(view: View, factor: number, at: { readonly x: number; readonly y: number }): View {
  const scale = Math.max(MIN_SCALE, Math.min(MAX_SCALE, view.scale * factor));
  const ratio = scale / view.scale;
  return { scale, x: at.x - (at.x - view.x) * ratio, y: at.y - (at.y - view.y) * ratio };
}

/** The same zoom with a point of the drawing in the middle. */
export function centre(view: View, point: { readonly x: number; readonly y: number }, frame: Size): View {
  return {
    scale: view.scale,
    x: frame.width / 2 - point.x * view.scale,
    y: frame.height / 2 - point.y * view.scale,
  };
}

/** Whether a point of the drawing is in the frame, away from its rim. */
export function isInside(
  view: View,
  point: { readonly x: number; readonly y: number },
  frame: Size,
): boolean {
  const [x, y] = [point.x * view.scale + view.x, point.y * view.scale + view.y];
  return x > MARGIN && y > MARGIN && x < frame.width - MARGIN && y < frame.height - MARGIN;
}

import type { Shown, Tone } from '../lib/status.ts';

/** The shape of a tone: tick, cross, arc, dots, half, ring. Readable without colour. */
export function Glyph({ tone }: { tone: Tone }) {
  return (
    <svg class={`glyph tone-${tone}`} width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
      {SHAPES[tone]}
    </svg>
  );
}

const SHAPES = {
  ok: (
    <>
      <circle class="glyph-fill" cx="8" cy="8" r="6.500" />
      <path class="glyph-mark" d="m5 8.300 2.100 2.100L11 6.200" />
    </>
  ),
  bad: (
    <>
      <path
        class="glyph-fill"
        d="M5.300 1.500h5.400l3.800 3.800v5.400l-3.800 3.800H5.300l-3.800-3.800V5.300z"
      />
      <path class="glyph-mark" d="m5.700 5.700 4.600 4.600M10.300 5.700l-4.600 4.600" />
    </>
  ),
  run: (
    <>
      <circle class="glyph-track" cx="8" cy="8" r="5.700" />
      <path class="glyph-line glyph-spin" d="M8 2.300A5.700 5.700 0 0 1 13.700 8" />
    </>
  ),
  wait: <circle class="glyph-line glyph-dots" cx="8" cy="8" r="5.700" />,
  warn: (
    <>
      <circle class="glyph-line" cx="8" cy="8" r="5.700" />
      <path class="glyph-fill" d="M8 3.800a4.200 4.200 0 0 1 0 8.400z" />
    </>
  ),
  idle: <circle class="glyph-line" cx="8" cy="8" r="5.700" />,
};

/** Glyph and word. */
export function Status({ shown, badge = false }: { shown: Shown; badge?: boolean }) {
  return (
    <span class={badge ? `status badge tone-${shown.tone}` : 'status'}>
      <Glyph tone={shown.tone} />
      <span class="status-text">{shown.text}</span>
    </span>
  );
}

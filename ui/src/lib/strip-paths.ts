import { stretches } from './buckets.ts';
import type { Tone } from './status.ts';

/** Units of a strip's picture across; it is stretched to the width that there is. */
export const STRIP_WIDTH = 1000;
const BUCKETS = 500;
/** Up to this many partitions each is a cell of its own. */
const MOST_CELLS = 80;
const GAP = 2;

/** A strip of partitions, one path a tone: a thousand stretches stay four elements. */
export function stripPaths<S extends string>(
  ranges: readonly { readonly status: S; readonly from: number; readonly to: number }[],
  total: number,
  look: { readonly worstFirst: readonly S[]; readonly toneOf: (status: S) => Tone },
): [Tone, string][] {
  const byTone = new Map<Tone, string>();
  const gap = total <= MOST_CELLS ? GAP : 0;
  for (const { status, from, to } of stretches(ranges, total, BUCKETS, look.worstFirst)) {
    const tone = look.toneOf(status);
    let d = byTone.get(tone) ?? '';
    const cells = gap > 0 ? Math.round((to - from) * total) : 1;
    const width = ((to - from) * STRIP_WIDTH) / cells;
    for (let cell = 0; cell < cells; cell += 1) {
      const x = from * STRIP_WIDTH + cell * width;
      d += `M${round(x)} 0h${round(Math.max(0.8, width - gap))}v24h${round(-Math.max(0.8, width - gap))}z`;
    }
    byTone.set(tone, d);
  }
  return [...byTone];
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

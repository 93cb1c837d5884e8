import { duration, exact, relative } from '../lib/format.ts';
import { now, second } from '../state/clock.ts';

/** "4 min ago", exact on hover. */
export function Ago({ at }: { at: string }) {
  const ms = Date.parse(at);
  return (
    <time dateTime={at} title={exact(ms)}>
      {relative(ms, now.value)}
    </time>
  );
}

/** How long something took, or has taken so far. */
export function Took({ from, to }: { from: string | null; to: string | null }) {
  if (from === null) return <span class="faint">–</span>;
  if (to === null) return <Running from={Date.parse(from)} />;
  return <span class="num">{duration((Date.parse(to) - Date.parse(from)) / 1000)}</span>;
}

function Running({ from }: { from: number }) {
  return <span class="num">{duration(Math.max(0, Math.floor((second.value - from) / 1000)))}</span>;
}

import { duration, exact, relative } from '../lib/format.ts';
import { now, second } from '../state/clock.ts';

/** "4 min ago", exact on hover. Of what has happened: our clock moves in steps, so it may be later than `now`. */
export function Ago({ at }: { at: string }) {
  return <Moment at={at} text={relative(Math.min(Date.parse(at), now.value), now.value)} />;
}

/** "in 4 min", exact on hover. */
export function Until({ at }: { at: string }) {
  return <Moment at={at} text={relative(Date.parse(at), now.value)} />;
}

function Moment({ at, text }: { at: string; text: string }) {
  return (
    <time dateTime={at} title={exact(Date.parse(at))}>
      {text}
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

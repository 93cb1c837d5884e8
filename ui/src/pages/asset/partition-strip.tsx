import { useState } from 'preact/hooks';
import type { PartitionList } from '../../../../src/server/contract/asset.ts';
import { rangeAt, stretches } from '../../lib/buckets.ts';
import { plural } from '../../lib/format.ts';
import { partitionShown } from '../../lib/status.ts';

type Range = PartitionList['ranges'][number];

const WIDTH = 1000;
const BUCKETS = 500;

/** All partitions in their order on one line, by state. Pointing at it names the stretch; a click takes it. */
export function PartitionStrip({ list, onPick }: { list: PartitionList; onPick?: (range: Range) => void }) {
  const [over, setOver] = useState<Range | null>(null);
  const { counts, first_key, last_key } = list.info;
  if (counts.total === 0) return <p class="faint">No partition exists yet.</p>;
  const at = (event: MouseEvent & { currentTarget: SVGElement }): Range | undefined => {
    const box = event.currentTarget.getBoundingClientRect();
    return rangeAt(list.ranges, Math.floor(((event.clientX - box.left) / box.width) * counts.total));
  };
  const label = `${plural(counts.total, 'partition')}: ${counts.materialized} materialized, ${counts.failed} failed, ${counts.in_progress} in progress, ${counts.missing} missing`;
  return (
    <div class="partition-strip">
      <svg
        class={onPick === undefined ? undefined : 'pickable'}
        viewBox={`0 0 ${WIDTH} 24`}
        preserveAspectRatio="none"
        role="img"
        aria-label={label}
        onMouseMove={(event) => setOver(at(event) ?? null)}
        onMouseLeave={() => setOver(null)}
        onClick={(event) => {
          const range = at(event);
          if (range !== undefined) onPick?.(range);
        }}
      >
        {paths(list).map(([tone, d]) => (
          <path key={tone} class={`tone-${tone}`} d={d} />
        ))}
      </svg>
      <div class="strip-caption">
        <span class="mono">{first_key}</span>
        <span class="strip-over">
          {over === null ? '' : `${rangeText(over)} · ${partitionShown(over.status).text.toLowerCase()}`}
        </span>
        <span class="mono">{last_key}</span>
      </div>
    </div>
  );
}

export function rangeText({ from, to, from_key, to_key }: Range): string {
  return from === to ? from_key : `${from_key} … ${to_key} (${plural(to - from + 1, 'partition')})`;
}

/** One path a tone: a strip of a thousand stretches stays four elements. */
function paths(list: PartitionList): [string, string][] {
  const byTone = new Map<string, string>();
  const { total } = list.info.counts;
  const gap = total <= 80 ? 2 : 0;
  for (const { status, from, to } of stretches(list.ranges, total, BUCKETS)) {
    const { tone } = partitionShown(status);
    let d = byTone.get(tone) ?? '';
    const cells = gap > 0 ? Math.round((to - from) * total) : 1;
    const width = ((to - from) * WIDTH) / cells;
    for (let cell = 0; cell < cells; cell += 1) {
      const x = from * WIDTH + cell * width;
      d += `M${round(x)} 0h${round(Math.max(0.8, width - gap))}v24h${round(-Math.max(0.8, width - gap))}z`;
    }
    byTone.set(tone, d);
  }
  return [...byTone];
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

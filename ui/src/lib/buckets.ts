export interface Stretch<S extends string> {
  readonly status: S;
  /** From 0 to 1 over all partitions. */
  readonly from: number;
  readonly to: number;
}

/**
 * A hundred thousand partitions in at most `buckets` stretches: neighbours of one state joined, none hidden by a better
 * one.
 * @param worstFirst when several states share a pixel, the one that somebody has to see
 */
export function stretches<S extends string>(
  ranges: readonly { readonly status: S; readonly from: number; readonly to: number }[],
  total: number,
  buckets: number,
  worstFirst: readonly S[],
): Stretch<S>[] {
  if (total === 0) return [];
  if (ranges.length <= buckets) {
    return ranges.map(({ status, from, to }) => ({ status, from: from / total, to: (to + 1) / total }));
  }
  const worst = new Uint8Array(buckets).fill(worstFirst.length - 1);
  for (const { status, from, to } of ranges) {
    const rank = worstFirst.indexOf(status);
    const last = Math.min(buckets - 1, Math.floor((to / total) * buckets));
    for (let bucket = Math.floor((from / total) * buckets); bucket <= last; bucket += 1) {
      if (rank < (worst[bucket] ?? 0)) worst[bucket] = rank;
    }
  }
  const joined: Stretch<S>[] = [];
  let start = 0;
  for (let bucket = 1; bucket <= buckets; bucket += 1) {
    if (bucket < buckets && worst[bucket] === worst[start]) continue;
    joined.push({
      status: worstFirst[worst[start] ?? 0]!,
      from: start / buckets,
      to: bucket / buckets,
    });
    start = bucket;
  }
  return joined;
}

/** The run-length range that an ordinal lies in; by halving. */
export function rangeAt<R extends { readonly from: number; readonly to: number }>(
  ranges: readonly R[],
  ordinal: number,
): R | undefined {
  let low = 0;
  let high = ranges.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const range = ranges[middle];
    if (range === undefined) return undefined;
    if (ordinal < range.from) high = middle - 1;
    else if (ordinal > range.to) low = middle + 1;
    else return range;
  }
  return undefined;
}

/** One measured number with what it measures; `aim` is what the product promises, in the same unit. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly aim: number | null;
  /** What others take for the same, as they were measured elsewhere. */
  readonly peer?: string;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

/**
 * Which partitions of an upstream asset a partition of a downstream asset reads: plain JSON-able data.
 * The names are Dagster's.
 */
export type PartitionMapping =
  | IdentityMapping
  | AllMapping
  | LastMapping
  | TimeWindowMapping
  | StaticMapping
  | SpecificMapping
  | MultiMapping
  | MultiToSingleMapping;

/** The partition with the same key text. */
export interface IdentityMapping {
  readonly kind: 'identity';
}

/** Every upstream partition that exists. */
export interface AllMapping {
  readonly kind: 'all';
}

/** The newest upstream partition that exists. */
export interface LastMapping {
  readonly kind: 'last';
}

/** Upstream windows that overlap the downstream window, both of whose ends move by whole downstream windows. */
export interface TimeWindowMapping {
  readonly kind: 'time_window';
  readonly startOffset: number;
  readonly endOffset: number;
  /** Upstream partitions that do not exist are left out in silence instead of being reported. */
  readonly allowNonexistentUpstream: boolean;
}

/** Upstream key → downstream key or keys. */
export interface StaticMapping {
  readonly kind: 'static';
  readonly map: Readonly<Record<string, string | readonly string[]>>;
}

/** These upstream keys, for every downstream partition. */
export interface SpecificMapping {
  readonly kind: 'specific';
  readonly keys: readonly string[];
}

/** Per upstream dimension, the downstream dimension it goes with and how. A dimension not named maps to all. */
export interface MultiMapping {
  readonly kind: 'multi';
  readonly dimensions: Readonly<
    Record<string, { readonly dimension: string; readonly mapping: PartitionMapping }>
  >;
}

/** Between a 2-D set and a 1-D set. `dimension` names the 2-D side's dimension; absent = the one that fits. */
export interface MultiToSingleMapping {
  readonly kind: 'multi_to_single';
  readonly dimension?: string;
}

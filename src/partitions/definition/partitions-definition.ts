/**
 * What partitions a set of assets has: plain JSON-able data. A definition holds no clock: which partitions
 * exist is a question that is asked with an instant (`partition-set.ts`).
 */
export type PartitionsDefinition = TimeWindowPartitions | StaticPartitions | MultiPartitions;

/** One partition for each window between two ticks of a cron. */
export interface TimeWindowPartitions {
  readonly kind: 'time';
  /** Local time in `timezone`, written in `fmt`. The first window starts at the first tick at or after it. */
  readonly start: string;
  /** Local time in `timezone`, written in `fmt`. No window ends after it. `null` = the set grows for ever. */
  readonly end: string | null;
  /** Five cron fields or an `@alias`. */
  readonly cron: string;
  /** An IANA time zone name. */
  readonly timezone: string;
  /** strftime pattern of a key; a key is the local time of its window's start. */
  readonly fmt: string;
  /** How many windows beyond (negative: short of) the last ended one exist. 1 = the window in progress too. */
  readonly endOffset: number;
  /** Crons and instants in `fmt`; a window that starts on one of them is not a partition. */
  readonly exclusions: readonly string[];
}

/** A fixed list of keys, in the order given. */
export interface StaticPartitions {
  readonly kind: 'static';
  readonly keys: readonly string[];
}

/** The product of exactly two dimensions. A key joins both parts with `|` in alphabetical order of the names. */
export interface MultiPartitions {
  readonly kind: 'multi';
  readonly dimensions: Readonly<Record<string, TimeWindowPartitions | StaticPartitions>>;
}

/** A fault in a definition. `path` is dotted from the definition: `cron`, `keys.3`, `dimensions.date.start`. */
export interface PartitionsProblem {
  readonly path: string;
  readonly message: string;
  readonly hint?: string;
}

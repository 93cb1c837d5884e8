/** Milliseconds since 1970-01-01T00:00:00Z. Window bounds and ticks are whole seconds. */
export type Instant = number;

/** A half-open stretch of time: `start` belongs to it, `end` does not. */
export interface TimeWindow {
  readonly start: Instant;
  readonly end: Instant;
}

/** A stretch of time in epoch milliseconds. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

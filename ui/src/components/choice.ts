/** One of a few, as a segment or a tab. */
export interface Choice<T extends string> {
  readonly value: T;
  readonly text: string;
  readonly count?: number;
  readonly title?: string;
}

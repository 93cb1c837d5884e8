/** What work costs, as the repository's `dagster.yaml` says (`insights: {cost: …}`); amounts in `currency`. */
export interface CostRates {
  /** As written: `EUR`, `USD`, `credits`. */
  readonly currency: string;
  /** Per hour in which a step's process runs, failed attempts included. */
  readonly computeHour: number;
  /** Per 10⁹ bytes written. */
  readonly gigabyte: number;
  /** Per 10⁶ rows written. */
  readonly millionRows: number;
}

/**
 * What a step does instead of writing its assets: it looks at the state that dlt keeps of its pipeline, at what a drop
 * would take away (`preview`), or drops it.
 */
export interface StepOperation {
  readonly kind: 'dlt_state';
  readonly action: 'read' | 'preview' | 'drop';
  /** Of `preview` and `drop`: dlt's names of the resources; null: all of the pipeline. */
  readonly resources: readonly string[] | null;
  /** Of `read`: whether rows are counted in the destination. */
  readonly rows: boolean;
}

/** Whose state; part of a `RunRequest`, which then names no assets. */
export interface OperationRequest extends StepOperation {
  readonly component: string;
  readonly pipeline: string;
}

/** What people call the run; by it the newest run of an operation is found. */
export function operationName({ action, pipeline }: Pick<OperationRequest, 'action' | 'pipeline'>): string {
  switch (action) {
    case 'read':
      return `state of ${pipeline}`;
    case 'preview':
      return `what a drop of ${pipeline} would take`;
    case 'drop':
      return `drop ${pipeline}`;
  }
}

/** One thing that has to be well for the service to be: what was found, and what to do when it is not. */
export interface HealthCheck {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'failed';
  readonly text: string;
  readonly fix: string | null;
}

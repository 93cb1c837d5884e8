import { join } from 'node:path';

/** Where things lie under `ELT_HOME`. */
export interface Places {
  /** Private folders of attempts in flight, one per attempt. */
  readonly steps: string;
  /** Durable working directory of a pipeline. */
  readonly work: (component: string, pipeline: string) => string;
  /** Durable state of its tools. */
  readonly state: (component: string, pipeline: string) => string;
  /** What was laid into its working directory. */
  readonly manifest: (component: string, pipeline: string) => string;
  /** Databases that pipelines share: a relative `DUCKDB_DATABASE` lies here. */
  readonly shared: string;
}

export function placesOf(home: string): Places {
  return {
    steps: join(home, 'steps'),
    work: (component, pipeline) => join(home, 'data', component, pipeline),
    state: (component, pipeline) => join(home, 'state', component, pipeline),
    manifest: (component, pipeline) => join(home, 'state', component, `${pipeline}.laid.json`),
    shared: join(home, 'data', 'shared'),
  };
}

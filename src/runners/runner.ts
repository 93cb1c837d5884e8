import type { StepSpec } from '../plan/step-spec.ts';

/** A file that the runner needs in the private step directory; mode 0600. */
export interface StepFile {
  readonly name: string;
  readonly content: string;
}

/** Paths of this machine that a runner may use when it writes the command; never stored. */
export interface StepPlaces {
  /** Private, `0700`, gone after the attempt: `spec.json`, `events.jsonl`, rendered files. */
  readonly stepDir: string;
  /** Working directory: durable, the folder's files laid in as links. */
  readonly workDir: string;
  /** Durable state of tools: `ELT_HOME/state/<component>/<pipeline>`; survives attempts and revisions. */
  readonly stateDir: string;
  /** The read-only tree of the folder. */
  readonly treeDir: string;
  /** Interpreter of the step's environment, absolute. */
  readonly python: string;
  /** The Sling binary, absolute; null if its environment is not there. */
  readonly sling: string | null;
  /** Folder that holds the `elt_runner` package. */
  readonly runnerPackage: string;
  readonly eventsFile: string;
}

export interface StepCommand {
  /** argv; never a shell, never a secret in it. */
  readonly argv: readonly string[];
  /** Over the base environment that `run-step` builds (`interfaces.md` §3). */
  readonly env: Readonly<Record<string, string>>;
  readonly files: readonly StepFile[];
  readonly cancelSignal: 'SIGTERM' | 'SIGINT';
  /** It may be forked from an interpreter that has this tool imported; absent: it is always started. */
  readonly warm?: 'dlt' | 'dbt' | 'sling';
}

/** Turns a spec into a process. Pure but for reading `places.treeDir`; adapters: dlt, sling, dbt, python, scripted (tests). */
export interface Runner {
  readonly tool: string;
  /** What the step has to find ready besides its interpreter. */
  readonly needs: { readonly sling: boolean };
  command(spec: StepSpec, places: StepPlaces, env: Readonly<Record<string, string>>): Promise<StepCommand>;
}

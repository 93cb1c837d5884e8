/** Settings of the whole service, after flags, environment, `.env` and defaults (in this order) were laid over each other. */
export interface Settings {
  readonly home: string;
  readonly host: string;
  readonly port: number;
  readonly publicUrl: string;
  readonly allowedHosts: readonly string[];
  readonly apiToken: string | null;
  readonly webhookSecret: string | null;
  readonly secretsDir: string | null;
  readonly passEnv: readonly string[];
  /** Variables that channels of alerts may name, beside those that begin with `ELT_ALERT_`. */
  readonly alertEnv: readonly string[];
  /** Where alerts may go; empty: anywhere. */
  readonly alertHosts: readonly string[];
  /** Steps of this service at once. */
  readonly maxConcurrent: number;
  /** Steps of dlt and dbt may be forked from an interpreter that has the tool imported (Linux). */
  readonly warmStarts: boolean;
  readonly logLevel: string;
  /** Checkout of the product: demo repository, page, Python package. */
  readonly root: string;
  readonly components: readonly ComponentSettings[];
  /** What steps may be given: the service's environment with `.env` laid under it. */
  readonly environment: Readonly<Record<string, string>>;
  /** True when no repository was configured and the demo is served. */
  readonly demo: boolean;
}

export interface ComponentSettings {
  readonly name: string;
  /** Folder of `pipelines_state.json` and the mirror. */
  readonly dir: string;
  readonly repoUrl: string;
  readonly ref:
    | { readonly kind: 'branch'; readonly name: string }
    | { readonly kind: 'tag'; readonly name: string }
    | { readonly kind: 'commit'; readonly sha: string }
    | { readonly kind: 'semver'; readonly range: string };
  /** Read anew at each fetch, so that a rotated token works without restart; null: none. */
  readonly token: () => string | null;
  /** Variables that the token is made of; steps get them only by `ELT_PASS_ENV`. */
  readonly tokenVariables?: readonly string[];
  /** What is told to GitHub about commits and pull requests; absent: nothing. */
  readonly github?: {
    readonly statuses: boolean;
    readonly prComments: boolean;
    /** `https://api.github.com`, or `https://<host>/api/v3` of an own server. */
    readonly apiUrl: string;
  };
  /** In place of a token: an installation of a GitHub App; its key is read anew for each token. */
  readonly githubApp?: {
    readonly appId: string;
    readonly installationId: number;
    readonly privateKeyFile: string;
    readonly apiUrl: string;
  };
  /** For `ssh` addresses; absolute paths. Absent: the user's own SSH set-up. */
  readonly ssh?: { readonly keyFile?: string; readonly knownHostsFile?: string };
  /** Certificate authorities for `https`, absolute path of a PEM file. */
  readonly caFile?: string;
  /** `/`-separated, without slash at either end; '' is the whole repository. */
  readonly pipelinesDirectory: string;
  /** Fetch only the contents of the pipelines directory, the root's `dagster.yaml` and these; absent: everything. */
  readonly sparsePaths?: readonly string[];
  readonly autoRefresh: boolean;
  readonly refreshIntervalMs: number;
  /** Everything of the settings that discovery depends on. */
  readonly digest: string;
}

/** What the caller should do next: try again soon, try again at a time, or wait for a human. */
export type Next = 'retry' | 'retry_at' | 'stalled';

/**
 * An operational failure (network, disk, a tool), as opposed to a user's mistake in a file (`Diagnostic`) and to a
 * broken assumption (`InvariantError`). `message` says what and where, `hint` what to do; neither holds a secret.
 */
export class OperationalError extends Error {
  override readonly name = 'OperationalError';
  readonly code: ErrorCode;
  readonly next: Next;
  readonly hint: string | undefined;
  readonly retryAt: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { next?: Next; hint?: string; cause?: unknown; retryAt?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.next = options.next ?? 'stalled';
    this.hint = options.hint;
    this.retryAt = options.retryAt;
  }
}

/** Exit codes of the CLI (`interfaces.md` §5) by the kind of failure. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  invalidConfiguration: 3,
  notFound: 4,
  conflict: 5,
  upstream: 6,
  changesPresent: 10,
  timeout: 124,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

interface ErrorEntry {
  /** HTTP status of the problem document. */
  readonly status: number;
  readonly exit: ExitCode;
  readonly title: string;
}

/**
 * The catalogue of every code that users can meet, as an operational error or as a diagnostic.
 * `docs/errors.md` has a heading for each; a test compares the two.
 */
export const ERRORS = {
  // settings and set-up
  SETTING_MISSING: { status: 400, exit: 3, title: 'A variable that a setting needs is not set' },
  SETTING_INVALID: { status: 400, exit: 3, title: 'A setting has a value that cannot be used' },
  COMPONENT_UNKNOWN: { status: 404, exit: 4, title: 'No component has this name' },
  PORT_IN_USE: { status: 409, exit: 5, title: 'The port is in use' },
  HOME_LOCKED: { status: 409, exit: 5, title: 'Another service uses this ELT_HOME' },
  HOME_NEWER: { status: 409, exit: 5, title: 'The database was written by a newer release' },
  BIND_WITHOUT_TOKEN: { status: 400, exit: 3, title: 'Binding to other than loopback needs ELT_API_TOKEN' },
  DISK_FULL: { status: 507, exit: 1, title: 'No space is left on the disk' },
  DATABASE_FAILED: { status: 500, exit: 1, title: 'The database refused to work' },
  PYTHON_NOT_FOUND: { status: 500, exit: 1, title: 'No Python 3.10 to 3.13 was found' },
  // git
  GIT_NOT_FOUND: { status: 500, exit: 6, title: 'git is not installed' },
  GIT_URL_REFUSED: { status: 400, exit: 3, title: 'The repository address is not allowed' },
  GIT_UNREACHABLE: { status: 502, exit: 6, title: 'The Git remote cannot be reached' },
  GIT_TIMEOUT: { status: 504, exit: 6, title: 'The Git remote did not answer in time' },
  GIT_AUTHENTICATION_FAILED: { status: 502, exit: 6, title: 'The Git remote refused the credentials' },
  GIT_REPOSITORY_NOT_FOUND: { status: 502, exit: 6, title: 'The Git remote does not know this repository' },
  GIT_BRANCH_NOT_FOUND: { status: 502, exit: 6, title: 'The branch does not exist on the remote' },
  GIT_TAG_MOVED: { status: 409, exit: 6, title: 'The followed tag was moved' },
  GIT_DUBIOUS_OWNERSHIP: { status: 502, exit: 6, title: 'The local repository belongs to another user' },
  GIT_CORRUPT: { status: 500, exit: 6, title: 'A Git object is damaged' },
  GITHUB_UNAVAILABLE: { status: 502, exit: 6, title: 'The GitHub API cannot be used now' },
  GITHUB_REFUSED: { status: 502, exit: 6, title: 'The GitHub API refused the request' },
  GIT_FAILED: { status: 502, exit: 6, title: 'git failed' },
  REPOSITORY_EMPTY: { status: 409, exit: 6, title: 'The repository has no commit' },
  PIPELINES_DIRECTORY_MISSING: { status: 409, exit: 3, title: 'The pipelines directory does not exist' },
  PRUNE_GUARD: { status: 409, exit: 5, title: 'The new revision would remove every pipeline' },
  // discovery and dagster.yaml
  YAML_SYNTAX: { status: 422, exit: 3, title: 'The file is not valid YAML' },
  YAML_DUPLICATE_KEY: { status: 422, exit: 3, title: 'A key stands twice' },
  YAML_TOO_LARGE: {
    status: 422,
    exit: 3,
    title: 'The file is larger, deeper or has more aliases than allowed',
  },
  CONFIG_UNKNOWN_KEY: { status: 422, exit: 3, title: 'This key is not known' },
  CONFIG_TYPE: { status: 422, exit: 3, title: 'The value has the wrong type' },
  CONFIG_VALUE: { status: 422, exit: 3, title: 'The value is not allowed here' },
  CONFIG_MISSING_KEY: { status: 422, exit: 3, title: 'A needed key is missing' },
  PARTITION_CRON_INVALID: { status: 422, exit: 3, title: 'The cron of the partitions is not valid' },
  PARTITION_INVALID: { status: 422, exit: 3, title: 'The partitions cannot be defined so' },
  SCHEDULE_CRON_INVALID: { status: 422, exit: 3, title: 'The cron of the schedule is not valid' },
  TIMEZONE_INVALID: { status: 422, exit: 3, title: 'The time zone is not known' },
  AUTOMATION_INVALID: { status: 422, exit: 3, title: 'The automation condition cannot be read' },
  TOOL_UNKNOWN: { status: 422, exit: 3, title: 'The tool is not known' },
  TOOL_AMBIGUOUS: { status: 422, exit: 3, title: 'The folder has the markers of two tools' },
  TOOL_FILE_MISSING: { status: 422, exit: 3, title: 'A file that the tool needs is missing' },
  PATH_REFUSED: { status: 422, exit: 3, title: 'A path of the folder is not allowed' },
  ASSET_DUPLICATE: { status: 422, exit: 3, title: 'Two pipelines claim one asset key' },
  PIPELINE_MOVED: { status: 200, exit: 0, title: 'A folder seems to have moved without saying so' },
  PIPELINE_DUPLICATE: { status: 422, exit: 3, title: 'Two folders claim one pipeline name' },
  DEPENDENCY_CYCLE: { status: 422, exit: 3, title: 'The dependencies form a cycle' },
  DEPENDENCY_UNKNOWN: { status: 422, exit: 0, title: 'A dependency is not an asset of this instance' },
  SLING_UNSUPPORTED: {
    status: 422,
    exit: 3,
    title: 'The replication uses what the open Sling binary cannot do',
  },
  DBT_PROJECT_INVALID: { status: 422, exit: 3, title: 'The dbt project cannot be read' },
  DISCOVERY_FAILED: { status: 422, exit: 3, title: 'The assets of the folder could not be discovered' },
  NO_PIPELINES: { status: 200, exit: 0, title: 'No pipeline was found' },
  SECRET_IN_REPOSITORY: { status: 200, exit: 0, title: 'A file with secrets is committed' },
  VARIABLE_MISSING: { status: 200, exit: 0, title: 'A variable that the folder reads is not given to it' },
  // runs
  SELECTION_INVALID: { status: 422, exit: 2, title: 'The selection cannot be read' },
  SELECTION_EMPTY: { status: 404, exit: 4, title: 'The selection matches no asset' },
  PARTITION_NEEDED: {
    status: 422,
    exit: 2,
    title: 'The selection is partitioned and no partition was given',
  },
  PARTITION_UNKNOWN: { status: 422, exit: 4, title: 'The asset has no such partition' },
  PIPELINE_DISABLED: { status: 409, exit: 5, title: 'The pipeline is disabled' },
  RUN_NOT_FOUND: { status: 404, exit: 4, title: 'No run has this id' },
  PIPELINE_NOT_FOUND: { status: 404, exit: 4, title: 'No pipeline has this name' },
  ASSET_NOT_FOUND: { status: 404, exit: 4, title: 'No asset has this key' },
  SCHEDULE_NOT_FOUND: { status: 404, exit: 4, title: 'No schedule has this name' },
  REVISION_NOT_FOUND: { status: 404, exit: 4, title: 'No revision has this id' },
  CHECK_NOT_FOUND: { status: 404, exit: 4, title: 'The asset has no such check' },
  EVALUATION_NOT_FOUND: { status: 404, exit: 4, title: 'No evaluation has this id' },
  BACKFILL_NOT_FOUND: { status: 404, exit: 4, title: 'No backfill has this id' },
  BACKFILL_EMPTY: { status: 422, exit: 4, title: 'The backfill has nothing to run' },
  BACKFILL_NOT_ENDED: { status: 409, exit: 5, title: 'The backfill has not ended' },
  BACKFILL_ENDED: { status: 409, exit: 5, title: 'The backfill has ended' },
  ALERT_RULE_NOT_FOUND: { status: 404, exit: 4, title: 'No alert rule has this name' },
  ALERT_CHANNEL_NOT_FOUND: { status: 404, exit: 4, title: 'No alert channel has this name' },
  ALERT_DELIVERY_NOT_FOUND: { status: 404, exit: 4, title: 'No delivery of an alert has this id' },
  ALERT_NOT_RETRYABLE: { status: 409, exit: 5, title: 'The delivery of the alert has not failed' },
  MOVE_CONFLICT: { status: 409, exit: 5, title: 'The history of a moved folder cannot be taken over' },
  CONTROL_CONFLICT: { status: 409, exit: 5, title: 'The component is held at a revision' },
  RUN_NOT_CANCELABLE: { status: 409, exit: 5, title: 'The run has ended' },
  RUN_NOT_RETRYABLE: { status: 409, exit: 5, title: 'The run has not failed' },
  SECRET_MISSING: { status: 422, exit: 3, title: 'A secret that the step needs is not set' },
  ENVIRONMENT_FAILED: { status: 500, exit: 1, title: 'The Python environment could not be built' },
  STEP_FAILED: { status: 500, exit: 1, title: 'The process of the step failed' },
  STEP_TIMEOUT: { status: 500, exit: 124, title: 'The step ran longer than its time-out' },
  STEP_LIMIT: { status: 500, exit: 1, title: 'The step used more than its limits allow' },
  STEP_OUT_OF_MEMORY: { status: 500, exit: 1, title: 'The kernel ended the step for want of memory' },
  STEP_LOST: { status: 500, exit: 1, title: 'The process of the step vanished without a result' },
  RESOURCE_BUSY: { status: 409, exit: 1, title: 'A database file is locked by another process' },
  FILE_COLLISION: {
    status: 409,
    exit: 1,
    title: 'A file that a run wrote stands where the revision has one',
  },
  BLOCKING_CHECK_FAILED: { status: 422, exit: 1, title: 'A blocking check failed' },
  // surface
  REQUEST_INVALID: { status: 400, exit: 2, title: 'The request cannot be read' },
  NOT_FOUND: { status: 404, exit: 4, title: 'There is nothing here' },
  UNAUTHORIZED: { status: 401, exit: 6, title: 'A token is needed' },
  FORBIDDEN_HOST: { status: 403, exit: 6, title: 'The Host or Origin of the request is not allowed' },
  WEBHOOK_SECRET_MISSING: { status: 503, exit: 3, title: 'ELT_WEBHOOK_SECRET is not set' },
  WEBHOOK_SIGNATURE_INVALID: {
    status: 401,
    exit: 6,
    title: 'The signature of the webhook is missing or wrong',
  },
  WEBHOOK_BODY_INVALID: { status: 400, exit: 2, title: 'The body of the webhook cannot be read' },
  WEBHOOK_BODY_TOO_LARGE: { status: 413, exit: 2, title: 'The body of the webhook is too large' },
  SERVICE_UNREACHABLE: { status: 503, exit: 1, title: 'The service does not answer' },
  SHUTTING_DOWN: { status: 503, exit: 1, title: 'The service is shutting down' },
  INTERNAL: { status: 500, exit: 1, title: 'A defect of this product' },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}

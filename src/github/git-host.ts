import type { Diagnostic } from '../lib/diagnostics.ts';

/** `owner/name` on the host. */
export interface HostedRepository {
  readonly owner: string;
  readonly name: string;
}

export interface CommitStatus {
  readonly repository: HostedRepository;
  readonly sha: string;
  readonly state: 'pending' | 'success' | 'failure' | 'error';
  /** What the statuses of a commit are told apart by: `elt/shop`. */
  readonly context: string;
  /** At most 140 characters reach GitHub. */
  readonly description: string;
  readonly targetUrl: string | null;
}

/** A commit status with more to say: text and annotations. Needs a GitHub App. */
export interface CheckRun extends Omit<CommitStatus, 'context' | 'description'> {
  readonly name: string;
  readonly title: string;
  /** Markdown. */
  readonly summary: string;
  readonly annotations: readonly Pick<
    Diagnostic,
    'file' | 'line' | 'column' | 'severity' | 'code' | 'message' | 'hint'
  >[];
}

export interface PullRequestComment {
  readonly repository: HostedRepository;
  readonly number: number;
  /** By which our comment is found again; not shown. */
  readonly marker: string;
  /** Markdown. */
  readonly body: string;
}

/**
 * What the service tells the host of a repository. Every method can be called again with the same argument. Errors:
 * `GITHUB_UNAVAILABLE` (again later, at `retryAt` if the host named a time), `GITHUB_REFUSED` (never).
 */
export interface GitHost {
  /** Annotations are possible: check runs are used in place of statuses. */
  readonly hasChecks: boolean;
  setCommitStatus(status: CommitStatus): Promise<void>;
  putCheckRun(check: CheckRun): Promise<void>;
  /** One comment per marker, updated in place. */
  putComment(comment: PullRequestComment): Promise<void>;
}

import type { ErrorCode, Next } from '../lib/errors.ts';
import type { Condition, ConditionType } from '../state/snapshot.ts';
import type { ControlMode } from './control.ts';

/** What a refresh found out, from which all conditions follow. */
export interface ConditionFacts {
  /** Commit that is served; null: nothing yet. */
  readonly serving: string | null;
  /** What a person set over what Git says, and how it is told; null: nothing. */
  readonly control: { readonly mode: ControlMode; readonly text: string } | null;
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly next: Next;
    readonly hint?: string | undefined;
  } | null;
  /** Names of pipelines that serve from their last good revision. */
  readonly held: readonly string[];
  readonly errors: number;
  /** What is said of variables that folders read and are not given; by name, never with a value. */
  readonly unset: readonly string[];
  /** Pipelines whose background discovery has not ended. */
  readonly pending: readonly string[];
  /** The branch was rewritten: this commit was served and is no ancestor of the new head. */
  readonly rewrittenFrom: string | null;
}

type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>;

const TYPES: readonly ConditionType[] = ['Ready', 'Reconciling', 'Stalled', 'FetchFailed', 'Degraded'];

/** The five conditions of a component; `since` moves only when a status does. */
export function nextConditions(
  previous: readonly Condition[],
  facts: ConditionFacts,
  now: number,
): Condition[] {
  const verdicts: Readonly<Record<ConditionType, Verdict>> = {
    Ready: ready(facts),
    Reconciling: reconciling(facts),
    Stalled: stalled(facts),
    FetchFailed: fetchFailed(facts),
    Degraded: degraded(facts),
  };
  return TYPES.map((type) => {
    const before = previous.find((condition) => condition.type === type);
    const since = before?.status === verdicts[type].status ? before.since : now;
    return { type, ...verdicts[type], since };
  });
}

/** Those whose status or reason differs: what is worth an event. */
export function changedConditions(previous: readonly Condition[], next: readonly Condition[]): Condition[] {
  return next.filter((condition) => {
    const before = previous.find(({ type }) => type === condition.type);
    return (
      before?.status !== condition.status ||
      before.reason !== condition.reason ||
      before.message !== condition.message
    );
  });
}

const HELD = {
  pinned: 'Pinned',
  rolled_back: 'RolledBack',
  suspended: 'Suspended',
} as const satisfies Record<ControlMode, string>;

function ready({ serving, control, error, rewrittenFrom }: ConditionFacts): Verdict {
  if (serving === null) {
    return {
      status: 'False',
      reason: error === null ? 'Starting' : 'NoRevision',
      message: error === null ? '' : said(error),
    };
  }
  if (control !== null) return { status: 'True', reason: HELD[control.mode], message: control.text };
  const short = serving.slice(0, 12);
  if (error !== null) return { status: 'True', reason: 'LastKnownGood', message: `${short} is served` };
  if (rewrittenFrom !== null) {
    const message = `${short} is served; the history was rewritten, ${rewrittenFrom.slice(0, 12)} is not part of it`;
    return { status: 'True', reason: 'HistoryRewritten', message };
  }
  return { status: 'True', reason: 'Applied', message: `${short} is served` };
}

function reconciling({ pending }: ConditionFacts): Verdict {
  if (pending.length === 0) return { status: 'False', reason: 'Settled', message: '' };
  return {
    status: 'True',
    reason: 'DiscoveryPending',
    message: `assets are being discovered: ${some(pending)}`,
  };
}

function stalled({ error }: ConditionFacts): Verdict {
  if (error?.next !== 'stalled') return { status: 'False', reason: 'Progressing', message: '' };
  return { status: 'True', reason: reasonOf(error.code), message: said(error) };
}

function fetchFailed({ error }: ConditionFacts): Verdict {
  if (error === null || !/^(GIT_|GITHUB_|REPOSITORY_EMPTY|DISK_FULL)/.test(error.code)) {
    return { status: 'False', reason: 'Fetched', message: '' };
  }
  return { status: 'True', reason: reasonOf(error.code), message: said(error) };
}

function degraded({ held, errors, error, unset }: ConditionFacts): Verdict {
  if (held.length > 0) {
    return {
      status: 'True',
      reason: 'PipelinesHeld',
      message: `served from their last good revision: ${some(held)}`,
    };
  }
  if (errors > 0)
    return {
      status: 'True',
      reason: 'PipelinesBroken',
      message: `${errors} ${errors === 1 ? 'error' : 'errors'} in the repository`,
    };
  if (error !== null) return { status: 'True', reason: reasonOf(error.code), message: said(error) };
  if (unset.length > 0) return { status: 'True', reason: 'VariablesMissing', message: some(unset) };
  return { status: 'False', reason: 'Healthy', message: '' };
}

/** What and where, and what to do: a condition is all that the page and `elt status` show of a failure. */
function said({ message, hint }: NonNullable<ConditionFacts['error']>): string {
  return hint === undefined ? message : `${message} (${hint})`;
}

/** `GIT_AUTHENTICATION_FAILED` → `AuthenticationFailed`. */
function reasonOf(code: ErrorCode): string {
  const words = code.replace(/^GIT_/, '').toLowerCase().split('_');
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}

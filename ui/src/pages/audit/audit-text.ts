import type { AuditEntry } from '../../../../src/server/contract/instance.ts';
import { plural } from '../../lib/format.ts';
import { backfillHref, runHref } from '../../router.ts';

const TEXTS: Readonly<Record<string, string>> = {
  'run.launch': 'launched a run',
  'run.cancel': 'canceled a run',
  'run.retry': 'ran again',
  'backfill.create': 'started a backfill',
  'backfill.retry': 'retried a backfill',
  'backfill.cancel': 'canceled a backfill',
  'backfill.pause': 'paused a backfill',
  'backfill.resume': 'resumed a backfill',
  'schedule.start': 'started a schedule',
  'schedule.stop': 'stopped a schedule',
  'component.refresh': 'asked Git for news',
  'component.pin': 'pinned',
  'component.rollback': 'rolled back',
  'component.suspend': 'suspended',
  'component.resume': 'resumed',
  'component.accept_move': 'accepted a move',
  'revision.apply': 'applied a revision',
};

/** `component.pin` → "pinned"; what is not known here stays as the log has it. */
export function actionText(action: string): string {
  return TEXTS[action] ?? action;
}

/** What was acted on, for people: ids of runs say little. */
export function targetText({ action, target, details }: AuditEntry): string {
  const runs = details['run_ids'];
  if (action.startsWith('run.') && Array.isArray(runs)) return plural(runs.length, 'run');
  return isRunId(target) ? `run ${target.slice(0, 8)}…${target.slice(-4)}` : target;
}

/** The page of what was acted on; null: it has none. */
export function targetHref({ action, target, kind, details }: AuditEntry): string | null {
  if (kind === 'revision') return '/git';
  const [what] = action.split('.');
  if (what === 'run') {
    const runs = details['run_ids'];
    if (Array.isArray(runs)) return typeof runs[0] === 'string' ? runHref(runs[0]) : null;
    return isRunId(target) ? runHref(target) : null;
  }
  if (what === 'backfill') return backfillHref(target);
  if (what === 'schedule') return '/automation';
  return what === 'component' ? '/git' : null;
}

function isRunId(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/.test(text);
}

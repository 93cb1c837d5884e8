import type { AuditEntry } from '../../../../src/server/contract/instance.ts';
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

/** The page of what was acted on; null: it has none. */
export function targetHref({ action, target, kind, details }: AuditEntry): string | null {
  if (kind === 'revision') return '/git';
  const [what] = action.split('.');
  if (what === 'run') {
    const runs = details['run_ids'];
    if (Array.isArray(runs)) return typeof runs[0] === 'string' ? runHref(runs[0]) : null;
    return /^[0-9a-f]{8}-[0-9a-f]{4}-7/.test(target) ? runHref(target) : null;
  }
  if (what === 'backfill') return backfillHref(target);
  if (what === 'schedule') return '/automation';
  return what === 'component' ? '/git' : null;
}

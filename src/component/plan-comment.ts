import { formatDiagnostic } from '../lib/diagnostics.ts';
import { codeSpan } from '../lib/markdown.ts';
import type { DefinitionChange, PartitionImpact, RevisionPlan, TickForecast } from '../plan/revision-plan.ts';

const MOST_ROWS = 40;
const SIGN = { added: '+', removed: '−', changed: '~', moved: '→' } as const;

/** One line: `+2 ~1 −0, 1 error`. */
export function planTitle({ changes, diagnostics }: Pick<RevisionPlan, 'changes' | 'diagnostics'>): string {
  const count = (change: DefinitionChange['change']): number =>
    changes.filter((one) => one.change === change).length;
  const errors = errorsOf({ diagnostics }).length;
  const told = `${count('added')} added, ${count('changed') + count('moved')} changed, ${count('removed')} removed`;
  return errors === 0 ? told : `${errors} ${errors === 1 ? 'error' : 'errors'}; ${told}`;
}

/**
 * A plan as GitHub Markdown: errors first, then definitions, ticks and partitions. Everything that a repository may have
 * said stands in code spans, so that it mentions nobody and is no mark-up.
 */
export function planComment(plan: RevisionPlan): string {
  const { to, from } = plan;
  const errors = errorsOf(plan);
  return [
    `### ELT plan of ${codeSpan(plan.component)}: ${planTitle(plan)}`,
    `From ${codeSpan(from.commit.slice(0, 12))} (live) to ${codeSpan((to.commit ?? to.label).slice(0, 12))}. Nothing of it was run.`,
    ...section(
      'Errors',
      errors.map((error) => `- ${codeSpan(formatDiagnostic(error))}`),
    ),
    ...(plan.held.length === 0
      ? []
      : [`These would stay at their last good revision: ${plan.held.map(codeSpan).join(', ')}`]),
    ...section('Definitions', plan.changes.map(changeLine)),
    ...section('Ticks of the next 7 days', plan.ticks.schedules.map(tickLine)),
    ...section('Partitions', plan.impact.map(impactLine)),
    ...(plan.changes.length === 0 && errors.length === 0
      ? ['No pipeline changes in a way that matters.']
      : []),
    ...section(
      'Known after merge',
      plan.notes.map((note) => `- ${codeSpan(note)}`),
    ),
  ].join('\n\n');
}

function errorsOf({ diagnostics }: Pick<RevisionPlan, 'diagnostics'>): RevisionPlan['diagnostics'] {
  return diagnostics.filter(({ severity }) => severity === 'error');
}

function section(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const shown = lines.slice(0, MOST_ROWS);
  if (lines.length > MOST_ROWS) shown.push(`- and ${lines.length - MOST_ROWS} more`);
  return [`#### ${title}\n\n${shown.join('\n')}`];
}

function changeLine({ change, kind, key, fields }: DefinitionChange): string {
  const told = fields
    .slice(0, 5)
    .map(({ field, from, to }) => `${codeSpan(field)} ${value(from)} → ${value(to)}`)
    .join('; ');
  const more = fields.length > 5 ? `; and ${fields.length - 5} more` : '';
  return `- ${SIGN[change]} ${kind} ${codeSpan(key)}${told === '' ? '' : `: ${told}${more}`}`;
}

function value(of: unknown): string {
  const text = of === undefined || of === null ? '—' : typeof of === 'string' ? of : JSON.stringify(of);
  return codeSpan(text.length > 80 ? `${text.slice(0, 79)}…` : text);
}

function tickLine({ schedule, before, after, note }: TickForecast): string {
  const first = (ticks: TickForecast['before']): string =>
    ticks.first[0] === undefined ? '' : `, first ${new Date(ticks.first[0]).toISOString()}`;
  const tail = note === '' ? '' : ` (${note})`;
  return `- ${codeSpan(schedule)}: ${before.count}${first(before)} → ${after.count}${first(after)}${tail}`;
}

function impactLine({ asset, missing, stale, orphaned, command }: PartitionImpact): string {
  const counts = [
    missing.count > 0 ? `${missing.count} missing` : '',
    stale.count > 0 ? `${stale.count} stale` : '',
    orphaned.count > 0 ? `${orphaned.count} orphaned (their history is kept)` : '',
  ].filter(Boolean);
  return `- ${codeSpan(asset)}: ${counts.join(', ')}${command === null ? '' : `. After the merge: ${codeSpan(command)}`}`;
}

import { hasChanges, type RevisionPlan } from '../../plan/revision-plan.ts';
import type { Plan } from '../contract/plan.ts';
import { diagnosticViews } from './diagnostic-view.ts';
import { linkOf, timestamp, type ViewContext } from './view-context.ts';

/** A plan for the API. Links lead to the commit that is gone to; of what is removed to the one before. */
export async function planView(context: ViewContext, plan: RevisionPlan): Promise<Plan> {
  const { component, from, to } = plan;
  const link = (commit: string | null, path: string | null, kind: 'file' | 'folder'): string | null =>
    path === null ? null : linkOf(context, component, { commit: commit ?? '', path, kind });
  const commitLink = (commit: string | null): string | null =>
    linkOf(context, component, { commit: commit ?? '' });
  const reader = {
    readFile: (_component: string, _commit: string, path: string) =>
      Promise.resolve(plan.texts?.get(path) ?? null),
  };
  // Without a commit nothing is linked, but the texts are at hand all the same.
  const diagnostics = await diagnosticViews(
    context,
    reader,
    plan.diagnostics.map((diagnostic) => ({ component, commit: to.commit ?? '', diagnostic })),
  );
  return {
    component,
    from: {
      commit: from.commit === '' ? null : from.commit,
      revision_id: from.revisionId,
      label: from.revisionId === null ? from.commit.slice(0, 12) : `revision ${from.revisionId}`,
      url: commitLink(from.commit),
    },
    to: { commit: to.commit, revision_id: to.revisionId, label: to.label, url: commitLink(to.commit) },
    has_changes: hasChanges(plan),
    changes: plan.changes.map(({ fields, ...change }) => ({
      ...change,
      fields: fields.map(({ field, from: old, to: now, files }) => ({
        field,
        from: old ?? null,
        to: now ?? null,
        files: [...(files ?? [])],
      })),
      url: link(
        change.change === 'removed' ? from.commit : to.commit,
        change.file,
        change.kind === 'pipeline' ? 'folder' : 'file',
      ),
    })),
    ticks: {
      from: timestamp(plan.ticks.from),
      to: timestamp(plan.ticks.to),
      schedules: plan.ticks.schedules.map(({ schedule, before, after, note }) => ({
        schedule,
        before: { ...before, first: before.first.map(timestamp) },
        after: { ...after, first: after.first.map(timestamp) },
        note,
      })),
    },
    impact: plan.impact.map(({ asset, missing, stale, orphaned, command }) => ({
      asset,
      missing: spans(missing),
      stale: spans(stale),
      orphaned: spans(orphaned),
      command,
    })),
    diagnostics,
    held: [...plan.held],
    notes: [...plan.notes],
  };
}

function spans({
  count,
  spans: all,
}: RevisionPlan['impact'][number]['missing']): Plan['impact'][number]['missing'] {
  return { count, spans: all.map((span) => ({ ...span })) };
}

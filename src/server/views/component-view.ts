import type { ComponentStatus, RefreshOutcome } from '../../component/component.ts';
import type { Drift as ComponentDrift, ControlState } from '../../component/control.ts';
import type { PipelineState } from '../../state/snapshot.ts';
import type {
  SnapshotDiff as ComponentDiff,
  FieldChange as ComponentFieldChange,
} from '../../state/snapshot-diff.ts';
import type { RefreshTrigger, RevisionRow } from '../../store/store.ts';
import type { Diagnostic } from '../contract/common.ts';
import type {
  Component,
  Control,
  Drift,
  FieldChange,
  Pipeline,
  RefreshResult,
  Revision,
  SnapshotDiff,
} from '../contract/component.ts';
import { codeLink, withoutCredentials } from './code-link.ts';
import { linkOf, timestamp, timestampOrNull, type ViewContext } from './view-context.ts';

export function componentView(
  status: ComponentStatus,
  options: {
    demo: boolean;
    diagnostics: readonly Diagnostic[];
    /** Of the revision that is served; null: it is not kept. */
    summary: RevisionRow['summary'] | null;
  },
): Component {
  const { snapshot, lastAttempted, lastApplied } = status;
  const repo = snapshot?.repo ?? null;
  return {
    name: status.name,
    repo_url: withoutCredentials(status.repoUrl),
    ref: status.ref,
    demo: options.demo,
    conditions: status.conditions.map(({ since, ...condition }) => ({
      ...condition,
      since: timestamp(since),
    })),
    refreshing: status.refreshing,
    next_refresh_at: timestampOrNull(status.nextRefreshAt),
    last_attempted:
      lastAttempted === null ? null : { at: timestamp(lastAttempted.at), commit: lastAttempted.commit },
    last_applied:
      lastApplied === null
        ? null
        : {
            at: timestamp(lastApplied.at),
            commit: lastApplied.commit,
            revision_id: lastApplied.revisionId,
            summary: options.summary === null ? null : { ...options.summary },
          },
    head:
      repo === null
        ? null
        : {
            commit: repo.commit,
            branch: repo.branch,
            author: repo.author,
            message: repo.message,
            committed_at: timestamp(repo.committedAt),
            url: codeLink(status.repoUrl, { commit: repo.commit }),
            uncommitted: repo.uncommitted ?? false,
          },
    control: status.control === null ? null : controlView(status.control),
    remote_head:
      status.remoteHead === null
        ? null
        : { ...status.remoteHead, url: codeLink(status.repoUrl, { commit: status.remoteHead.commit }) },
    pipelines: (snapshot?.pipelines ?? []).map((pipeline) => pipelineView(status, pipeline)),
    diagnostics: [...options.diagnostics],
  };
}

export function controlView(control: ControlState): Control {
  const { mode, revisionId, commit, fenced, by, at, reason, expiresAt } = control;
  return {
    mode,
    revision_id: revisionId,
    commit,
    fenced: [...fenced],
    by,
    at: timestamp(at),
    reason,
    expires_at: timestampOrNull(expiresAt),
  };
}

export function driftView({ expiresAt, at, ...drift }: ComponentDrift): Drift {
  return { ...drift, at: timestamp(at), expires_at: timestampOrNull(expiresAt) };
}

function pipelineView(component: ComponentStatus, pipeline: PipelineState): Pipeline {
  const { config, code } = pipeline;
  return {
    name: pipeline.name,
    component: component.name,
    tool: config.tool,
    dir: config.dir,
    enabled: config.enabled,
    status: pipeline.status,
    commit: code.commit,
    content_digest: code.contentDigest,
    discovery: { method: pipeline.discovery.method, status: pipeline.discovery.status },
    asset_keys: pipeline.assets.map((asset) => asset.key),
    url: codeLink(component.repoUrl, { commit: code.commit, path: config.dir, kind: 'folder' }),
  };
}

export function revisionView(context: ViewContext, row: RevisionRow): Revision {
  const status = context.components.get(row.component);
  return {
    revision_id: row.revisionId,
    component: row.component,
    commit: row.commit,
    branch: row.branch,
    author: row.author,
    message: row.message,
    committed_at: timestamp(row.committedAt),
    started_at: timestamp(row.startedAt),
    applied_at: timestamp(row.appliedAt),
    seconds: (row.appliedAt - row.startedAt) / 1000,
    trigger: { kind: row.trigger.kind, text: triggerText(row.trigger) },
    digest: row.digest,
    pipelines: row.pipelines,
    held: row.held,
    diagnostics: row.diagnostics,
    summary: { ...row.summary },
    url: linkOf(context, row.component, { commit: row.commit }),
    served: status?.lastApplied?.revisionId === row.revisionId,
    fenced: status?.control?.fenced.includes(row.commit) ?? false,
    restores: 'revisionId' in row.trigger ? row.trigger.revisionId : null,
  };
}

export function diffView(diff: ComponentDiff): SnapshotDiff {
  return {
    added: [...diff.added],
    removed: [...diff.removed],
    changed: diff.changed.map(({ pipeline, fields }) => ({
      pipeline,
      fields: fields.map(fieldChangeView),
    })),
  };
}

export function fieldChangeView({ field, from, to }: ComponentFieldChange): FieldChange {
  return { field, from: from ?? null, to: to ?? null };
}

export function refreshView(outcome: RefreshOutcome, diagnostics: readonly Diagnostic[]): RefreshResult {
  const { error } = outcome;
  return {
    component: outcome.component,
    status: outcome.status,
    revision_id: outcome.revisionId,
    commit: outcome.commit,
    diff: diffView(outcome.diff),
    diagnostics: [...diagnostics],
    seconds: outcome.seconds,
    error: error === null ? null : { code: error.code, message: error.message, hint: error.hint ?? null },
    note: outcome.note ?? null,
  };
}

function triggerText(trigger: RefreshTrigger): string {
  switch (trigger.kind) {
    case 'poll':
      return 'the regular look at the remote';
    case 'startup':
      return 'the start of the service';
    case 'watch':
      return 'a change of local files';
    case 'discovery':
      return 'a finished discovery';
    case 'webhook':
      return `webhook ${trigger.delivery}`;
    case 'cli':
    case 'page':
    case 'api':
      return trigger.by;
    case 'rollback':
      return `${trigger.by}, back to revision ${trigger.revisionId}`;
    case 'pin':
      return trigger.revisionId === null
        ? `${trigger.by}, pinned`
        : `${trigger.by}, pinned to revision ${trigger.revisionId}`;
  }
}

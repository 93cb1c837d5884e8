import { type CommitReport, commitReport } from '../component/commit-report.ts';
import type { ComponentService } from '../component/component.ts';
import type { ComponentControl } from '../component/control.ts';
import { planComment, planTitle } from '../component/plan-comment.ts';
import { PULL_REQUEST_TOPIC } from '../component/receive-webhook.ts';
import type { GitHost, HostedRepository } from '../github/git-host.ts';
import type { Clock } from '../lib/clock.ts';
import { digestOf } from '../lib/digest.ts';
import { OperationalError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { OutboxEntry, OutboxStore } from '../store/outbox-store.ts';
import type { OperationsStore } from '../store/store.ts';
import { createDaemon, type Daemon, type DaemonOptions } from './daemon.ts';

/** A component of which something is told to its host. */
export interface ReportedComponent {
  readonly name: string;
  readonly host: GitHost;
  readonly repository: HostedRepository;
  /** Statuses of its commits are on. */
  readonly statuses: boolean;
}

export interface GitReportsDeps {
  readonly reported: readonly ReportedComponent[];
  readonly components: Pick<ComponentService, 'component'> & Pick<ComponentControl, 'plan'>;
  readonly outbox: OutboxStore;
  readonly operations: Pick<OperationsStore, 'heartbeat'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Address of the page for people elsewhere; null: it is only on this machine. */
  readonly publicUrl: string | null;
}

const COMMIT_TOPIC = 'commit_report';
const COMMENT_TOPIC = 'pull_request_comment';
const PLAN_TOPIC = 'plan_report';
const TOPICS = [COMMIT_TOPIC, PULL_REQUEST_TOPIC, COMMENT_TOPIC, PLAN_TOPIC];
const BATCH = 20;
const NAP_MS = 30_000;
const FIRST_BACK_OFF_MS = 10_000;
const LONGEST_BACK_OFF_MS = 3_600_000;
/** What could not be told for a day is of no use any more. */
const GIVE_UP_AFTER_MS = 86_400_000;

/**
 * Tells the Git host how commits and pull requests stand. What is to be told is queued durably and sent from the queue: a
 * host that is slow, limits or refuses never holds a refresh up (fault H1). A status stays on its own commit, and turns
 * green only when all of it has settled (H2).
 */
export function createGitReports(deps: GitReportsDeps): Daemon {
  const { clock, operations, log } = deps;
  const { runOnce } = createGitReporter(deps);
  return createDaemon({ name: 'git_reports', intervalMs: NAP_MS, runOnce, clock, operations, log });
}

/** One look: queues what changed, sends what is due. */
export function createGitReporter(deps: Omit<GitReportsDeps, 'operations'>): Pick<DaemonOptions, 'runOnce'> {
  const { outbox, clock, log } = deps;
  const byName = new Map(deps.reported.map((one) => [one.name, one]));
  const told = new Map<string, string>();
  /** Until when the host's limit is used up: to ask on would only prolong it. */
  let pausedUntil = 0;

  /** What changed since it was last queued. After a start everything is told once more. */
  async function queueCommits(): Promise<number> {
    let queued = 0;
    for (const { name, statuses } of deps.reported) {
      const status = statuses ? deps.components.component(name) : null;
      const report = status === null ? null : commitReport(status);
      if (report === null) continue;
      const digest = digestOf(report);
      if (told.get(name) === digest) continue;
      const payload = { component: name, report };
      await outbox.add([{ topic: COMMIT_TOPIC, key: `${name}@${report.sha}`, payload }]);
      told.set(name, digest);
      queued += 1;
    }
    return queued;
  }

  async function send(entry: OutboxEntry): Promise<void> {
    const { component, ...payload } = entry.payload as { component: string } & Record<string, unknown>;
    const target = byName.get(component);
    // Switched off since: nothing is told any more.
    if (target === undefined) return;
    switch (entry.topic) {
      case COMMIT_TOPIC:
        return sendReport(target, `elt/${component}`, payload.report as CommitReport, '/git');
      case PLAN_TOPIC:
        return sendReport(target, `elt plan/${component}`, payload.report as CommitReport, '/git');
      case COMMENT_TOPIC:
        return target.host.putComment({
          repository: target.repository,
          number: payload.number as number,
          marker: `elt-gitops plan of ${component}`,
          body: payload.body as string,
        });
      default:
        return plan(target, payload.number as number);
    }
  }

  async function sendReport(
    { host, repository }: ReportedComponent,
    context: string,
    { sha, state, description, summary, annotations }: CommitReport,
    page: string,
  ): Promise<void> {
    const targetUrl = deps.publicUrl === null ? null : deps.publicUrl + page;
    if (!host.hasChecks) {
      return host.setCommitStatus({ repository, sha, state, context, description, targetUrl });
    }
    const title = description;
    return host.putCheckRun({
      repository,
      sha,
      state,
      name: context,
      title,
      summary,
      annotations,
      targetUrl,
    });
  }

  /** Law 10: reading the ref, never running it. The answer is queued before the question is done with. */
  async function plan({ name }: ReportedComponent, number: number): Promise<void> {
    const found = await deps.components.plan(name, { kind: 'ref', ref: `refs/pull/${number}/head` });
    const body = planComment(found);
    const errors = found.diagnostics.filter(({ severity }) => severity === 'error');
    const report: CommitReport | null =
      found.to.commit === null
        ? null
        : {
            sha: found.to.commit,
            state: errors.length > 0 ? 'failure' : 'success',
            description: planTitle(found),
            summary: body,
            annotations: errors,
          };
    await outbox.add([
      { topic: COMMENT_TOPIC, key: `${name}#${number}`, payload: { component: name, number, body } },
      ...(report === null
        ? []
        : [{ topic: PLAN_TOPIC, key: `${name}@${report.sha}`, payload: { component: name, report } }]),
    ]);
  }

  async function failed(entry: OutboxEntry, error: unknown): Promise<void> {
    const known = error instanceof OperationalError ? error : null;
    const reason = error instanceof Error ? error.message : String(error);
    const now = clock.now();
    const isFinal = known?.code === 'GITHUB_REFUSED' || now - entry.createdAt > GIVE_UP_AFTER_MS;
    const wait = Math.min(FIRST_BACK_OFF_MS * 2 ** Math.min(entry.attempts, 20), LONGEST_BACK_OFF_MS);
    const dueAt = isFinal ? null : Math.max(known?.retryAt ?? 0, now + wait);
    const { topic, key } = entry;
    const again = dueAt === null ? {} : { again_at: new Date(dueAt).toISOString() };
    log.warn({ topic, key, reason, ...again }, 'GitHub was not told');
    pausedUntil = Math.max(pausedUntil, known?.retryAt ?? 0);
    await outbox.retry(entry.id, dueAt, reason);
  }

  return {
    async runOnce(signal) {
      const counts = { queued: await queueCommits(), sent: 0, failed: 0 };
      for (;;) {
        const due = await outbox.due(TOPICS, BATCH);
        for (const entry of due) {
          if (signal.aborted) return { counts };
          if (clock.now() < pausedUntil) return { counts, nextAt: pausedUntil };
          try {
            await send(entry);
            await outbox.done(entry.id);
            counts.sent += 1;
          } catch (error) {
            await failed(entry, error);
            counts.failed += 1;
          }
        }
        if (due.length === 0) break;
      }
      const nextAt = await outbox.nextDueAt(TOPICS);
      return { counts, nextAt: Math.min(nextAt ?? Number.POSITIVE_INFINITY, clock.now() + NAP_MS) };
    },
  };
}

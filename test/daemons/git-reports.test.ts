import { expect, it } from 'vitest';
import type { ComponentStatus } from '../../src/component/component.ts';
import { PULL_REQUEST_TOPIC } from '../../src/component/receive-webhook.ts';
import { createGitReporter, type ReportedComponent } from '../../src/daemons/git-reports.ts';
import { createGithubHost } from '../../src/github/github-host.ts';
import type { Diagnostic } from '../../src/lib/diagnostics.ts';
import { OperationalError } from '../../src/lib/errors.ts';
import { createLogger } from '../../src/lib/log.ts';
import type { RevisionPlan } from '../../src/plan/revision-plan.ts';
import type { Snapshot } from '../../src/state/snapshot.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { type FakeClock, fakeClock } from '../helpers/fake-clock.ts';
import { temporaryDirectory } from '../helpers/git-repository.ts';
import { type GithubServer, startGithub } from '../helpers/github-server.ts';
import { pipelineState, snapshotOf } from '../helpers/snapshots.ts';

const NOON = Date.UTC(2026, 0, 20, 12);
const A = 'a'.repeat(40);
const B = 'b'.repeat(40);
const ERROR: Diagnostic = {
  code: 'SCHEDULE_CRON_INVALID',
  severity: 'error',
  message: '"0 0 *" has 3 fields',
  file: 'pipelines/dlt/orders/dagster.yaml',
  line: 12,
  column: 18,
};

interface World {
  readonly github: GithubServer;
  readonly store: Store;
  readonly clock: FakeClock;
  /** What is served from now on. */
  readonly serve: (snapshot: Snapshot) => void;
  readonly look: () => Promise<Readonly<Record<string, number>>>;
  /** As after a restart of the service. */
  readonly restart: () => void;
  plans: (ref: string) => Promise<RevisionPlan>;
}

async function world(more: Partial<ReportedComponent> = {}, hasChecks = false): Promise<World> {
  const github = await startGithub();
  const clock = fakeClock(NOON);
  const log = createLogger('silent');
  const store = await openStore({ file: `${temporaryDirectory()}/elt.db`, clock, logger: log });
  let served: Snapshot | null = null;
  const access = { apiUrl: github.url, token: () => 'ghp_x', now: () => clock.now() };
  const made: World = {
    github,
    store,
    clock,
    serve: (snapshot) => {
      served = snapshot;
    },
    look: async () => (await reporter.runOnce(new AbortController().signal)).counts,
    restart: () => {
      reporter = start();
    },
    plans: () => Promise.reject(new Error('no plan is expected')),
  };
  const start = () =>
    createGitReporter({
      reported: [
        {
          name: 'shop',
          host: createGithubHost({ ...access, hasChecks }),
          repository: { owner: 'acme', name: 'pipelines' },
          statuses: true,
          ...more,
        },
      ],
      components: {
        component: () => ({ snapshot: served }) as ComponentStatus,
        plan: (_, target) => made.plans((target as { ref: string }).ref),
      },
      outbox: store.outbox,
      clock,
      log,
      publicUrl: 'https://elt.example.com',
    });
  let reporter = start();
  return made;
}

function commit(sha: string, more: Partial<Snapshot> = {}, state: object = {}): Snapshot {
  const snapshot = snapshotOf([pipelineState('python_a', {}, state)], more);
  return { ...snapshot, repo: { ...snapshot.repo, commit: sha } };
}

const PENDING = { discovery: { method: 'recorded', status: 'pending', inputsDigest: 'x' } };

it('H2: is green only when every folder has settled, and stays on its own commit', async () => {
  const { github, serve, look } = await world();
  serve(commit(A, {}, PENDING));
  await look();
  expect(github.statusesOf(A)).toEqual(['elt/shop pending discovering the assets of python_a']);
  serve(commit(B));
  await look();
  expect(github.statusesOf(A)).toHaveLength(1);
  expect(github.statusesOf(B)).toEqual(['elt/shop success 1 pipelines with 1 assets are live']);
});

it('fails with the place of the first error while a folder is held', async () => {
  const { github, serve, look } = await world();
  serve(commit(A, { diagnostics: [ERROR] }, { status: 'held' }));
  await look();
  expect(github.statusesOf(A)).toEqual([
    'elt/shop failure python_a kept at the last good revision: pipelines/dlt/orders/dagster.yaml:12:18 error SCHEDULE_CRON_INVALID "0 0 *" has 3 fields',
  ]);
});

it('annotates the lines by a check where an App may', async () => {
  const { github, serve, look } = await world({}, true);
  serve(commit(A, { diagnostics: [ERROR] }));
  await look();
  expect([...github.checks.values()]).toMatchObject([
    {
      name: 'elt/shop',
      conclusion: 'failure',
      output: { annotations: [{ path: ERROR.file, start_line: 12, title: ERROR.code }] },
    },
  ]);
});

it('tells the same thing once, and once more after a restart', async () => {
  const { github, serve, look, restart } = await world();
  serve(commit(A));
  await look();
  await look();
  expect(github.statusesOf(A)).toHaveLength(1);
  restart();
  await look();
  expect(github.statusesOf(A)).toHaveLength(2);
});

it('tells nothing of uncommitted changes, and nothing at all when statuses are off', async () => {
  const uncommitted = await world();
  const snapshot = commit(A);
  uncommitted.serve({ ...snapshot, repo: { ...snapshot.repo, uncommitted: true } });
  await uncommitted.look();
  expect(uncommitted.github.calls).toEqual([]);
  const off = await world({ statuses: false });
  off.serve(snapshot);
  await off.look();
  expect(off.github.calls).toEqual([]);
});

it('H1: waits out a limit without asking on, over a restart, and then tells the newest', async () => {
  const { github, serve, look, clock, restart, store } = await world();
  let isLimited = true;
  github.interceptors.push(() =>
    isLimited ? { status: 403, headers: { 'retry-after': '600' }, body: { message: 'slow down' } } : null,
  );
  serve(commit(A));
  expect(await look()).toMatchObject({ sent: 0, failed: 1 });
  serve(commit(B));
  await look();
  expect(github.calls).toHaveLength(1);
  restart();
  isLimited = false;
  clock.advance(600_000);
  await look();
  expect(github.statusesOf(A)).toHaveLength(2);
  expect(github.statusesOf(B)).toHaveLength(1);
  expect(await store.outbox.list(10)).toEqual([]);
});

it('H1: backs off through an outage, and gives up after a day', async () => {
  const { github, serve, look, clock, store } = await world();
  github.interceptors.push(() => ({ status: 503, body: { message: 'unavailable' } }));
  serve(commit(A));
  const waits: number[] = [];
  await look();
  for (;;) {
    const due = await store.outbox.nextDueAt(['commit_report']);
    if (due === null) break;
    waits.push((due - clock.now()) / 1000);
    clock.set(due);
    await look();
  }
  expect(waits.slice(0, 5)).toEqual([10, 20, 40, 80, 160]);
  expect(Math.max(...waits)).toBe(3600);
  expect(clock.now() - NOON).toBeGreaterThan(86_400_000);
  expect(clock.now() - NOON).toBeLessThan(86_400_000 + 3_600_001);
  expect(await store.outbox.list(10)).toMatchObject([
    { status: 'given_up', lastError: expect.stringContaining('503') },
  ]);
});

it('H1: what is refused for good is not tried again', async () => {
  const { github, serve, look, clock } = await world();
  github.interceptors.push(() => ({ status: 404, body: { message: 'Not Found' } }));
  serve(commit(A));
  await look();
  clock.advance(3_600_000);
  await look();
  expect(github.calls).toHaveLength(1);
});

function planOf(more: Partial<RevisionPlan> = {}): RevisionPlan {
  return {
    component: 'shop',
    from: { commit: A, revisionId: 1 },
    to: { commit: B, revisionId: null, label: 'refs/pull/7/head' },
    changes: [],
    ticks: { from: NOON, to: NOON + 7 * 86_400_000, schedules: [] },
    impact: [],
    diagnostics: [],
    held: [],
    notes: [],
    ...more,
  };
}

const asked = {
  topic: PULL_REQUEST_TOPIC,
  key: 'shop#7',
  payload: { component: 'shop', number: 7, head: B },
};

it('answers a pull request with one comment and a status on its head, renewed with each push', async () => {
  const made = await world({ statuses: false });
  const refs: string[] = [];
  made.plans = (ref) => {
    refs.push(ref);
    return Promise.resolve(
      planOf({
        changes: [{ kind: 'asset', key: 'new', change: 'added', fields: [], pipeline: 'p', file: 'f' }],
      }),
    );
  };
  await made.store.outbox.add([asked]);
  await made.look();
  expect(refs).toEqual(['refs/pull/7/head']);
  expect(made.github.comments.get(7)?.map(({ body }) => body)).toEqual([
    expect.stringMatching(
      /^<!-- elt-gitops plan of shop -->\n### ELT plan of `shop`: 1 added, 0 changed, 0 removed/,
    ),
  ]);
  expect(made.github.statusesOf(B)).toEqual(['elt plan/shop success 1 added, 0 changed, 0 removed']);
  made.plans = () => Promise.resolve(planOf({ diagnostics: [ERROR] }));
  await made.store.outbox.add([asked]);
  await made.look();
  expect(made.github.comments.get(7)).toHaveLength(1);
  expect(made.github.comments.get(7)?.[0]?.body).toContain('SCHEDULE_CRON_INVALID');
  expect(made.github.statusesOf(B).at(-1)).toMatch(/^elt plan\/shop failure 1 error; /);
});

it('plans again when Git could not be reached, also after a restart', async () => {
  const made = await world({ statuses: false });
  made.plans = () => Promise.reject(new OperationalError('GIT_UNREACHABLE', 'down', { next: 'retry' }));
  await made.store.outbox.add([asked]);
  expect(await made.look()).toMatchObject({ failed: 1 });
  made.restart();
  made.plans = () => Promise.resolve(planOf());
  made.clock.advance(10_000);
  await made.look();
  expect(made.github.comments.get(7)).toHaveLength(1);
});

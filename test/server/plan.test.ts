import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { readWorkingCopy } from '../../src/component/working-copy.ts';
import type { Problem } from '../../src/server/contract/common.ts';
import type { Plan } from '../../src/server/contract/plan.ts';
import { pythonFolder } from '../helpers/component.ts';
import { createRepository, temporaryDirectory } from '../helpers/git-repository.ts';
import { DAILY } from '../helpers/sample-definitions.ts';
import { type Surface, surface } from '../helpers/surface.ts';

const SCHEDULE = {
  cron: ['0 2 * * *'],
  timezone: 'Europe/Berlin',
  defaultStatus: 'RUNNING',
  catchUp: 'latest',
  overlap: 'skip',
  jitterSeconds: 0,
} as const;

async function request<T>(
  from: Surface,
  method: 'GET' | 'POST',
  url: string,
  payload?: object,
): Promise<{ status: number; body: T }> {
  const response = await from.app.inject({
    method,
    url: `/api/v1${url}`,
    ...(payload === undefined ? {} : { payload }),
  });
  return { status: response.statusCode, body: response.json<T>() };
}

/** Revision 1 without, revision 2 with a schedule and an earlier start. */
async function twoRevisions(): Promise<Surface> {
  const world = await surface({
    pipelines: { orders: { tool: 'dlt', config: { partitions: DAILY }, assets: { dlt_orders: {} } } },
  });
  await world.publish({
    orders: {
      tool: 'dlt',
      config: { partitions: { ...DAILY, start: '2025-12-30' } as typeof DAILY, schedule: SCHEDULE },
      assets: { dlt_orders: {} },
    },
  });
  return world;
}

it('compares two kept revisions', async () => {
  const world = await twoRevisions();
  const { items } = (
    await request<{ items: { revision_id: number }[] }>(world, 'GET', '/components/main/revisions')
  ).body;
  const [now, before] = items.map((row) => row.revision_id);
  const { status, body } = await request<Plan>(
    world,
    'GET',
    `/components/main/revisions/${before}...${now}/diff`,
  );
  expect(status).toBe(200);
  expect(body).toMatchObject({
    component: 'main',
    has_changes: true,
    from: { revision_id: before, label: `revision ${before}` },
    to: { revision_id: now, label: `revision ${now}` },
    changes: [
      {
        kind: 'pipeline',
        key: 'orders',
        change: 'changed',
        fields: [{ field: 'partitions.time.start', from: '2026-01-01', to: '2025-12-30' }],
        url: expect.stringMatching(/^https:\/\/github.com\/.*\/tree\//),
      },
      { kind: 'schedule', key: 'orders_schedule', change: 'added', fields: [] },
    ],
    ticks: {
      schedules: [
        {
          schedule: 'orders_schedule',
          before: { count: 0 },
          after: {
            count: 7,
            timezone: 'Europe/Berlin',
            first: expect.arrayContaining(['2026-01-21T01:00:00.000Z']),
          },
          note: 'starts',
        },
      ],
    },
    impact: [
      {
        asset: 'dlt_orders',
        missing: { count: 2 },
        command: 'elt backfill dlt_orders --from 2025-12-30 --to 2025-12-31',
      },
    ],
  });
  const posted = await request<Plan>(world, 'POST', '/plan', {
    from: { revision: before },
    to: { revision: now },
  });
  expect(posted.body).toEqual(body);
  const none = await request<Plan>(world, 'POST', '/plan', { component: 'main', to: { revision: now } });
  expect(none.body).toMatchObject({ has_changes: false, changes: [], impact: [], ticks: { schedules: [] } });
});

it.each<[string, 'GET' | 'POST', string, object | undefined, number, string]>([
  ['a range that is none', 'GET', '/components/main/revisions/1/diff', undefined, 400, 'REQUEST_INVALID'],
  [
    'an unknown revision',
    'GET',
    '/components/main/revisions/1...99/diff',
    undefined,
    404,
    'REVISION_NOT_FOUND',
  ],
  ['an unknown component', 'POST', '/plan', { component: 'other' }, 404, 'COMPONENT_UNKNOWN'],
  ['two targets that are none', 'POST', '/plan', { to: {} }, 400, 'REQUEST_INVALID'],
  [
    'a directory of the service’s machine',
    'POST',
    '/plan',
    { to: { directory: '/etc' } },
    400,
    'REQUEST_INVALID',
  ],
  [
    'a directory to compare with',
    'POST',
    '/plan',
    { from: { working_copy: { label: '', files: [] } } },
    400,
    'REQUEST_INVALID',
  ],
  [
    'a path out of the tree',
    'POST',
    '/plan',
    {
      to: {
        working_copy: { label: '', files: [{ path: '', mode: '100644', oid: 'a'.repeat(40), size: 1 }] },
      },
    },
    400,
    'REQUEST_INVALID',
  ],
  [
    'a device',
    'POST',
    '/plan',
    {
      to: {
        working_copy: { label: '', files: [{ path: 'a', mode: '060000', oid: 'a'.repeat(40), size: 1 }] },
      },
    },
    400,
    'REQUEST_INVALID',
  ],
  ['a ref without Git', 'POST', '/plan', { to: { ref: 'main' } }, 502, 'GIT_UNREACHABLE'],
])('refuses %s', async (_, method, url, body, status, code) => {
  const world = await twoRevisions();
  const answer = await request<Problem>(world, method, url, body);
  expect([answer.status, answer.body.code]).toEqual([status, code]);
});

it('plans a working directory that the caller has read, with the lines at fault', async () => {
  const world = await surface({});
  const repo = createRepository(temporaryDirectory());
  repo.write({ ...pythonFolder('a'), ...pythonFolder('b', 'retries: many\n') });
  const copy = readWorkingCopy(repo.dir, 'pipelines', { ids: 'content' });
  const files = copy.files.map((file) => ({
    ...file,
    content: readFileSync(path.join(repo.dir, file.path)).toString('base64'),
  }));
  const send = (sent: object[]) =>
    request<Plan & Problem>(world, 'POST', '/plan', { to: { working_copy: { label: 'here', files: sent } } });
  const { body } = await send(files);
  expect(body).toMatchObject({ to: { commit: null, revision_id: null, label: 'here', url: null } });
  expect(body.changes.map(({ kind, key, change, url }) => [kind, key, change, url])).toEqual([
    ['pipeline', 'python_a', 'added', null],
    ['asset', 'a', 'added', null],
  ]);
  expect(body.diagnostics).toMatchObject([
    {
      severity: 'error',
      file: 'pipelines/python/b/dagster.yaml',
      line: 2,
      excerpt: [{ line: 1 }, { line: 2, text: 'retries: many' }, { line: 3 }],
    },
  ]);
  const without = await send([...copy.files]);
  expect([without.status, without.body.code]).toEqual([400, 'REQUEST_INVALID']);
});

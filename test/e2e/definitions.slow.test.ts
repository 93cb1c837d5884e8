import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { AssetDetail } from '../../src/server/contract/asset.ts';
import type { Plan } from '../../src/server/contract/plan.ts';
import type { RunSummary } from '../../src/server/contract/run.ts';
import { fakeClock } from '../helpers/fake-clock.ts';
import { startGitServer } from '../helpers/git-server.ts';
import { ownService } from '../helpers/own-service.ts';
import { createRepository } from '../helpers/repository.ts';

const NOON = Date.UTC(2026, 0, 20, 12);

function folder(name: string, partitions: string): Record<string, string> {
  return {
    [`pipelines/python/${name}/main.py`]: 'print("loaded")\n',
    [`pipelines/python/${name}/dagster.yaml`]: `script: { command: [python, main.py] }\n${partitions}`,
  };
}

function time(more: Readonly<Record<string, string>> = {}): string {
  const settings = { start: '"2026-01-10"', cron_schedule: '"0 0 * * *"', timezone: 'UTC', ...more };
  const text = Object.entries(settings).map(([key, value]) => `${key}: ${value}`);
  return `partitions: { enabled: true, type: time, time: { ${text.join(', ')} } }\n`;
}

function keys(...names: string[]): string {
  return `partitions: { enabled: true, type: static, static: { partition_keys: [${names.join(', ')}] } }\n`;
}

/** Of 10 daily partitions, two of them loaded: what is pushed, and what the plan says of missing, stale and orphaned. */
const CHANGES: readonly (readonly [string, string, readonly [number, number, number]])[] = [
  ['start earlier', time({ start: '"2026-01-08"' }), [2, 0, 0]],
  ['start later', time({ start: '"2026-01-13"' }), [0, 0, 1]],
  ['another cron', time({ cron_schedule: '"0 0 * * 1"' }), [0, 1, 1]],
  ['another zone', time({ timezone: 'Asia/Tokyo' }), [10, 0, 2]],
  ['another fmt', time({ start: '"20260110"', fmt: '"%Y%m%d"' }), [0, 0, 0]],
  ['static', keys('eu', 'us'), [2, 0, 2]],
  ['unpartitioned', '', [1, 0, 2]],
];

it('C5, C6: a changed partitions definition is told by the plan and runs nothing, a deleted folder comes back with its history', async () => {
  const repository = createRepository({ ...folder('a', time()), ...folder('b', keys('eu', 'us')) });
  const server = await startGitServer(path.dirname(repository.remote));
  const home = mkdtempSync(path.join(tmpdir(), 'elt-home-'));
  const repo = `${server.url}/${path.basename(repository.remote)}`;
  const service = await ownService({
    home,
    repo,
    clock: fakeClock(NOON),
    env: { ELT_REFRESH_INTERVAL: '1h' },
  });
  onTestFinished(async () => {
    await service.close({ endSteps: true });
    repository.remove();
    rmSync(home, { recursive: true, force: true });
  });
  const { client } = service;
  await client.serves(repository.head());
  for (const [selection, partitions] of [
    ['a', ['2026-01-12', '2026-01-15']],
    ['b', ['us']],
  ] as const) {
    const { run_ids: ids } = await client.launch(selection, { partitions });
    for (const id of ids) expect((await client.ended(id)).status).toBe('SUCCESS');
  }
  const runs = async () => (await client.api<{ items: RunSummary[] }>('GET', '/api/v1/runs?limit=100')).items;
  const asset = (key: string) => client.api<AssetDetail>('GET', `/api/v1/assets/${key}`);
  const ran = await runs();
  const before = await asset('a');
  expect(before.partitions?.counts).toMatchObject({ total: 10, materialized: 2 });
  const refresh = () => client.api('POST', '/api/v1/components/elt_pipelines/refresh?wait=true');

  const found: unknown[] = [];
  for (const [what, partitions] of CHANGES) {
    repository.push(folder('a', partitions), what);
    const plan = await client.api<Plan>('POST', '/api/v1/plan', {});
    const fields = plan.changes.flatMap((one) => one.fields.map(({ field }) => `${one.key} ${field}`));
    expect(fields, what).toContainEqual(expect.stringMatching(/^python_a partitions/));
    const impact = plan.impact.find((one) => one.asset === 'a');
    found.push([
      what,
      partitions,
      [impact?.missing.count ?? 0, impact?.stale.count ?? 0, impact?.orphaned.count ?? 0],
    ]);
    await refresh();
    expect(await runs()).toEqual(ran);
    // Back to what was, and with it all that was known.
    repository.push(folder('a', time()), `not ${what}`);
    await refresh();
    const after = await asset('a');
    expect([what, after.partitions, after.latest]).toEqual([what, before.partitions, before.latest]);
  }
  expect(found).toEqual(CHANGES);

  // Keys that are gone, and come back.
  repository.push(folder('b', keys('eu')));
  const [removed] = (await client.api<Plan>('POST', '/api/v1/plan', {})).impact;
  expect(removed).toMatchObject({ asset: 'b', missing: { count: 0 }, orphaned: { count: 1 } });
  await refresh();
  expect((await asset('b')).partitions?.counts).toMatchObject({ total: 1, materialized: 0 });
  repository.push(folder('b', keys('us', 'eu')));
  await refresh();
  expect((await asset('b')).partitions?.counts).toMatchObject({ total: 2, materialized: 1 });

  // A folder that is gone, and comes back.
  repository.push({ 'pipelines/python/a': null });
  await refresh();
  await expect(asset('a')).rejects.toThrow('404');
  repository.push(folder('a', time()));
  await refresh();
  const restored = await asset('a');
  expect([restored.partitions, restored.latest]).toEqual([before.partitions, before.latest]);
  expect(await runs()).toEqual(ran);
});

import { readdirSync, renameSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { PlanTarget } from '../../src/component/control.ts';
import { readWorkingCopy } from '../../src/component/working-copy.ts';
import { formatDiagnostic } from '../../src/lib/diagnostics.ts';
import { uuidv7 } from '../../src/lib/ids.ts';
import { planRun } from '../../src/plan/plan-run.ts';
import { hasChanges, type RevisionPlan } from '../../src/plan/revision-plan.ts';
import { stepSpecs } from '../../src/plan/step-spec-of.ts';
import { type ComponentWorld, componentWorld, pythonFolder } from '../helpers/component.ts';
import { createRepository, type TestRepository } from '../helpers/git-repository.ts';
import { running } from '../store/conformance/harness.ts';

const DAILY =
  'partitions: {enabled: true, type: time, time: {start: "2026-01-10", cron_schedule: "0 0 * * *"}}\n';
const SCHEDULE = 'schedule: {enabled: true, cron_schedule: "0 2 * * *"}\n';

interface World {
  readonly repo: TestRepository;
  readonly world: ComponentWorld;
  /** Pushes to a branch beside main. */
  branch(files: Readonly<Record<string, string | null>>, name?: string): string;
  plan(target?: PlanTarget, from?: PlanTarget): Promise<RevisionPlan>;
}

async function started(files: Readonly<Record<string, string>>): Promise<World> {
  const repo = createRepository();
  repo.push(files);
  const world = await componentWorld(repo.bare);
  expect((await world.refresh()).status).toBe('applied');
  return {
    repo,
    world,
    branch(changed, name = 'feature') {
      repo.git('checkout', '--quiet', '-B', name);
      const commit = repo.push(changed);
      repo.git('checkout', '--quiet', 'main');
      return commit;
    },
    plan: (target = { kind: 'ref', ref: 'feature' }, from) => world.service.plan('shop', target, from),
  };
}

function told({ changes }: RevisionPlan): string[] {
  return changes.map(({ kind, key, change, fields }) =>
    [
      `${kind} ${key} ${change}`,
      ...fields.map(({ field, files }) => (files === undefined ? field : `${field} ${files.join(' ')}`)),
    ].join('; '),
  );
}

/** Materializes keys of an asset as the engine would. */
async function load({ world }: World, asset: string, keys: readonly string[]): Promise<void> {
  const { store, clock, service } = world;
  const definitions = service.definitions();
  const planned = planRun(
    definitions,
    {
      assets: [asset],
      partitions: keys.length === 0 ? { kind: 'none' } : { kind: 'keys', keys },
      fullRefresh: false,
      config: {},
      tags: {},
      priority: 0,
      cause: { kind: 'cli', user: 'ada' },
    },
    { now: clock.now(), newId: () => uuidv7(clock.now()) },
  );
  if (!planned.ok) throw new Error(planned.message);
  const { runIds } = await store.runs.createLaunch(planned.runs, {
    specs: (plan) => stepSpecs(definitions, plan),
  });
  for (const [at, runId] of runIds.entries()) {
    const stepKey = planned.runs[at]!.steps[0]!.stepKey;
    const ref = await running(store, runId, stepKey);
    const spec = await store.steps.spec(ref);
    await store.steps.finish(ref, { type: 'step_succeeded', seconds: 1, metadata: {} }, [
      { assetKey: asset, partitions: spec.partitionKeys, metadata: {} },
    ]);
  }
}

describe('the plan of a ref', () => {
  it('says what changes, applies nothing and leaves nothing behind', async () => {
    const it = await started({ ...pythonFolder('a', SCHEDULE), ...pythonFolder('b'), ...pythonFolder('c') });
    const [revision] = await it.world.store.components.revisions('shop', { limit: 5 });
    const commit = it.branch({
      ...pythonFolder('a', SCHEDULE.replace('0 2', '0 4')),
      'pipelines/python/b': null,
      'pipelines/python/c/run.py': 'print(2)\n',
      'pipelines/python/c/README.md': 'C\n',
      ...pythonFolder('d', '', 'print("d")\n'),
    });
    const before = readdirSync(it.world.dir);
    const plan = await it.plan();
    expect(plan).toMatchObject({
      component: 'shop',
      from: { commit: revision!.commit, revisionId: revision!.revisionId },
      to: { commit, revisionId: null, label: 'feature' },
      held: [],
      notes: [],
      diagnostics: [],
    });
    expect(told(plan)).toEqual([
      'pipeline python_b removed',
      'pipeline python_c changed; code ~ run.py',
      'pipeline python_d added',
      'asset b removed',
      'asset d added',
      'schedule python_a_schedule changed; schedule.cron_schedule',
    ]);
    expect(plan.ticks.schedules).toMatchObject([
      { schedule: 'python_a_schedule', before: { count: 7 }, after: { count: 7 }, note: '' },
    ]);
    expect(plan.impact.map(({ asset, missing, command }) => [asset, missing.count, command])).toEqual([
      ['d', 1, 'elt materialize d'],
    ]);
    expect(await it.world.store.components.revisions('shop', { limit: 5 })).toHaveLength(1);
    expect(it.world.service.component('shop')!.snapshot!.repo.commit).toBe(revision!.commit);
    expect(readdirSync(it.world.dir)).toEqual(before);
  });

  it('is empty for what has no meaning: README, comments, formatting, order of keys', async () => {
    const script = 'import os\n\n\ndef run(day):\n    print(day)  # a day\n';
    const it = await started({
      ...pythonFolder('a', `${SCHEDULE}group: g\nretries: 2\n`, script),
      'pipelines/sling/s/replication.yaml': 'source: A\ntarget: B\nstreams:\n  public.x: {object: y.x}\n',
      'pipelines/dbt/d/dbt_project.yml': 'name: d\nprofile: d\nmodel-paths: [models]\n',
      'pipelines/dbt/d/models/m.sql': 'select 1 as id -- one\n',
      'pipelines/dlt/l/pipeline.py':
        'import dlt\n\n@dlt.resource\ndef rows():\n    yield {"a": 1}\n\ndef run():\n    dlt.pipeline().run(rows())\n',
      'pipelines/dlt/l/requirements.txt': 'dlt\n',
    });
    await load(it, 'a', []);
    it.branch({
      'pipelines/python/a/README.md': 'Pipeline A\n',
      'pipelines/python/a/run.py':
        '"""Prints."""\nimport os\n\n\ndef run( day ):\n  # a day\n  print(\n    day,\n  )\n',
      'pipelines/python/a/dagster.yaml': `# why\nretries: 2\ngroup: "g"\n${SCHEDULE}script:\n  command:\n    - python\n    - run.py\n`,
      'pipelines/sling/s/replication.yaml':
        '# all\ntarget: B\nsource: A\nstreams:\n  public.x:\n    object: y.x\n',
      'pipelines/dbt/d/models/m.sql': '-- one\nselect\n  1 as id\n',
      'pipelines/dlt/l/pipeline.py':
        "import dlt\n\n\n@dlt.resource\ndef rows():\n    '''Rows.'''\n    yield {'a': 1}\n\n\ndef run():\n    dlt.pipeline().run(rows())\n",
      'pipelines/dlt/l/requirements.txt': '# tools\ndlt\n',
      'README.md': 'All of it\n',
    });
    const plan = await it.plan();
    expect(told(plan)).toEqual([]);
    expect(plan.impact).toEqual([]);
    expect(hasChanges(plan)).toBe(false);
    // And the same files say so when they differ in what they do.
    it.branch({
      'pipelines/python/a/run.py': script.replace('print(day)', 'print(day, day)'),
      'pipelines/sling/s/replication.yaml': 'source: A\ntarget: B\nstreams:\n  public.x: {object: y.z}\n',
      'pipelines/dbt/d/models/m.sql': 'select 2 as id\n',
      'pipelines/dlt/l/requirements.txt': 'dlt==1\n',
    });
    const other = await it.plan();
    expect(told(other)).toEqual([
      'pipeline dbt_d changed; code ~ models/m.sql',
      'pipeline dlt_l changed; code ~ requirements.txt',
      'pipeline python_a changed; code ~ run.py',
      'pipeline sling_s changed; code ~ replication.yaml',
      'asset m changed; code',
    ]);
    expect(other.impact.map(({ asset, stale }) => [asset, stale.count])).toEqual([['a', 1]]);
  });

  it('names the partitions that become missing, stale and orphaned, with the command', async () => {
    const it = await started(pythonFolder('a', DAILY));
    await load(it, 'a', ['2026-01-10', '2026-01-11', '2026-01-12']);
    it.branch(pythonFolder('a', DAILY.replace('2026-01-10', '2026-01-08'), 'print(2)\n'));
    const [impact] = (await it.plan()).impact;
    expect(impact).toMatchObject({
      asset: 'a',
      missing: { count: 2, spans: [{ start: '2026-01-08', end: '2026-01-09', count: 2 }] },
      stale: { count: 3, spans: [{ start: '2026-01-10', end: '2026-01-12', count: 3 }] },
      orphaned: { count: 0 },
      command: 'elt backfill a --from 2026-01-08 --to 2026-01-12',
    });
    it.branch(pythonFolder('a', DAILY.replace('2026-01-10', '2026-01-12')));
    expect((await it.plan()).impact).toMatchObject([{ orphaned: { count: 2 }, command: null }]);
  });

  it('holds a broken folder, says where it is broken, and goes on with the others', async () => {
    const it = await started({ ...pythonFolder('a'), ...pythonFolder('b') });
    it.branch({
      ...pythonFolder('a', 'schedule: {enabled: true, cron_schedule: "0 0 31 2 *"}\n'),
      ...pythonFolder('b', 'retries: 3\n'),
    });
    const plan = await it.plan();
    expect(plan.held).toEqual(['python_a']);
    expect(told(plan)).toEqual(['pipeline python_b changed; retry_policy']);
    const [error] = plan.diagnostics.map(formatDiagnostic);
    // T7: what can never fire is said, not scheduled.
    expect(error).toMatch(
      /^pipelines\/python\/a\/dagster.yaml:2:\d+ error SCHEDULE_CRON_INVALID .*never ticks/,
    );
    expect(plan.texts!.get('pipelines/python/a/dagster.yaml')).toContain('31 2');
  });

  it('knows a moved folder, and says how to keep its history', async () => {
    const it = await started(pythonFolder('a', DAILY));
    await load(it, 'a', ['2026-01-10']);
    const moved = { 'pipelines/python/a': null, ...pythonFolder('z', DAILY) };
    it.branch(moved);
    const guessed = await it.plan();
    expect(told(guessed)).toEqual([
      'pipeline python_z moved; name; dir; script.assets',
      'asset a removed',
      'asset z added',
    ]);
    expect(guessed.notes).toEqual([
      expect.stringMatching(
        /^pipelines\/python\/z looks like pipelines\/python\/a moved: with "moved_from: pipelines\/python\/a"/,
      ),
    ]);
    expect(
      guessed.impact.map(({ asset, missing, orphaned }) => [asset, missing.count, orphaned.count]),
    ).toEqual([
      ['a', 0, 1],
      ['z', 10, 0],
    ]);
    it.branch({ ...moved, ...pythonFolder('z', `${DAILY}moved_from: pipelines/python/a\n`) }, 'declared');
    const declared = await it.plan({ kind: 'ref', ref: 'declared' });
    expect(told(declared)).toEqual([
      'pipeline python_z moved; name; dir; script.assets',
      'asset z moved; key',
    ]);
    expect(declared.impact).toEqual([]);
    expect(declared.notes).toEqual([]);
  });

  it('says that a branch lacks what is served', async () => {
    const it = await started(pythonFolder('a'));
    it.branch(pythonFolder('b', '', 'print("b")\n'));
    it.repo.push(pythonFolder('c'));
    await it.world.refresh();
    const plan = await it.plan();
    expect(told(plan).filter((line) => line.startsWith('pipeline'))).toEqual([
      'pipeline python_b added',
      'pipeline python_c removed',
    ]);
    expect(plan.notes).toEqual([expect.stringMatching(/^feature does not hold the commit [0-9a-f]{12}/)]);
  });

  it.each([
    ['a ref that is not there', { kind: 'ref', ref: 'nothing' }, 'GIT_BRANCH_NOT_FOUND'],
    ['what is no ref', { kind: 'ref', ref: '--upload-pack=x' }, 'REQUEST_INVALID'],
    ['a revision that is not there', { kind: 'revision', revision: 99 }, 'REVISION_NOT_FOUND'],
    ['a commit that was never applied', { kind: 'revision', revision: 'abcdef0' }, 'REVISION_NOT_FOUND'],
  ] as const)('refuses %s', async (_, target, code) => {
    const it = await started(pythonFolder('a'));
    await expect(it.plan(target)).rejects.toMatchObject({ code });
    await expect(it.world.service.plan('none', target)).rejects.toMatchObject({ code: 'COMPONENT_UNKNOWN' });
  });

  it('says what a refresh would refuse', async () => {
    const it = await started(pythonFolder('a'));
    it.branch({ pipelines: null, 'other.txt': 'x' });
    await expect(it.plan()).rejects.toMatchObject({ code: 'PIPELINES_DIRECTORY_MISSING' });
    it.branch({ 'pipelines/python': null, 'pipelines/readme.txt': 'x' }, 'empty');
    const plan = await it.plan({ kind: 'ref', ref: 'empty' });
    expect(plan.notes).toEqual(expect.arrayContaining([expect.stringContaining('PRUNE_GUARD')]));
  });
});

describe('the plan between other states', () => {
  it('of two revisions needs no Git, mirrors, and is empty to itself', async () => {
    const it = await started({ ...pythonFolder('a', SCHEDULE), ...pythonFolder('b') });
    it.repo.push({
      ...pythonFolder('a', SCHEDULE.replace('0 2', '0 4')),
      'pipelines/python/b': null,
      ...pythonFolder('d', '', 'print("d")\n'),
    });
    await it.world.refresh();
    renameSync(it.repo.bare, `${it.repo.bare}.gone`);
    const at = (revision: number): PlanTarget => ({ kind: 'revision', revision });
    const there = await it.plan(at(2), at(1));
    const back = await it.plan(at(1), at(2));
    expect(there.to).toMatchObject({ revisionId: 2, label: 'revision 2' });
    const flip = { added: 'removed', removed: 'added', changed: 'changed', moved: 'moved' } as const;
    const mirrored = there.changes.map((one) => ({
      ...one,
      change: flip[one.change],
      fields: one.fields.map(({ field, from, to }) => ({ field, from: to, to: from })),
    }));
    expect(back.changes).toEqual(mirrored);
    expect(back.ticks.schedules.map(({ before, after }) => [after, before])).toEqual(
      there.ticks.schedules.map(({ before, after }) => [before, after]),
    );
    for (const revision of [1, 2]) {
      const none = await it.plan(at(revision), at(revision));
      expect([none.changes, none.ticks.schedules, none.impact]).toEqual([[], [], []]);
    }
    expect(told(await it.plan(at(2)))).toEqual([]);
  });

  it('of the head, before it is applied', async () => {
    const it = await started(pythonFolder('a'));
    const commit = it.repo.push(pythonFolder('b'));
    const plan = await it.plan({ kind: 'head' });
    expect(plan.to).toMatchObject({ commit, label: 'main' });
    expect(told(plan)).toEqual(['pipeline python_b added', 'asset b added']);
    await it.world.refresh();
    expect(told(await it.plan({ kind: 'head' }))).toEqual([]);
  });

  it('of a working directory, without reading what did not change', async () => {
    const it = await started({ ...pythonFolder('a'), ...pythonFolder('b', 'retries: 1\n', 'print("b")\n') });
    it.repo.write({ 'pipelines/python/a/run.py': 'print(3)\n', 'pipelines/python/b/__pycache__/x.pyc': 'x' });
    const copy = readWorkingCopy(it.repo.dir, 'pipelines', { ids: 'content' });
    const read: string[] = [];
    const files = new Map(copy.files.map(({ oid, path: file }) => [oid, file]));
    const target: PlanTarget = {
      kind: 'directory',
      label: 'the working copy',
      copy: { ...copy, readBlob: (oid) => (read.push(files.get(oid)!), copy.readBlob(oid)) },
    };
    const plan = await it.plan(target);
    expect(plan.to).toEqual({ commit: null, revisionId: null, label: 'the working copy' });
    expect(told(plan)).toEqual(['pipeline python_a changed; code ~ run.py']);
    expect(read.filter((file) => file.includes('/b/'))).toEqual([]);
  });

  it('before anything is served', async () => {
    const repo = createRepository();
    repo.push(pythonFolder('a'));
    const world = await componentWorld(repo.bare);
    const plan = await world.service.plan('shop', { kind: 'head' });
    expect(plan.from).toEqual({ commit: '', revisionId: null });
    expect(told(plan)).toEqual(['pipeline python_a added', 'asset a added']);
  });
});

describe('assets that only a run of the code can tell', () => {
  const project = { 'pipelines/dbt/d/dbt_project.yml': 'name: d\nprofile: d\nmodel-paths: [models]\n' };
  it('are known as far as files tell, and the note says the rest', async () => {
    const it = await started({
      ...project,
      'pipelines/dbt/d/models/old.sql': 'select 1\n',
      'pipelines/dbt/d/models/kept.sql': 'select 1\n',
    });
    it.branch({
      'pipelines/dbt/d/models/old.sql': null,
      'pipelines/dbt/d/models/new.sql': "select * from {{ ref('kept') }}\n",
      'pipelines/dbt/d/dagster.yaml': SCHEDULE,
    });
    const plan = await it.plan();
    expect(told(plan)).toEqual([
      'pipeline dbt_d changed; code + models/new.sql - models/old.sql',
      'asset new added',
      'asset old removed',
      'schedule dbt_d_schedule added',
    ]);
    expect(plan.notes).toEqual(['the assets of dbt_d are known after merge: dbt parse tells them']);
  });
});

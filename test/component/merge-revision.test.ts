import { expect, it } from 'vitest';
import { mergeRevision } from '../../src/component/merge-revision.ts';
import type { FolderOutcome } from '../../src/discovery/discover.ts';
import type { PipelineState } from '../../src/state/snapshot.ts';
import { pipelineState } from '../helpers/snapshots.ts';

const INSTANCE = { runRetries: { enabled: false, maxRetries: 0 }, maxConcurrentRuns: null, pools: {} };

function good(state: PipelineState): FolderOutcome {
  return { ok: true, state, diagnostics: [] };
}

function broken(name: string, dir = `pipelines/python/${name}`): FolderOutcome {
  return { ok: false, name, dir, diagnostics: [] };
}

function merge(previous: readonly PipelineState[], folders: readonly FolderOutcome[]) {
  return mergeRevision(previous, INSTANCE, { folders, diagnostics: [], instance: null });
}

function at(state: PipelineState, code: Partial<PipelineState['code']>): PipelineState {
  return { ...state, code: { ...state.code, ...code } };
}

function making(name: string, ...keys: string[]): PipelineState {
  return pipelineState(
    name,
    {},
    { assets: keys.map((key) => ({ key, kind: 'python', deps: [], checks: [] })) },
  );
}

it('a folder without a change of meaning keeps its object, whatever the commit', () => {
  const old = pipelineState('a');
  const same = at(pipelineState('a'), { commit: 'c'.repeat(40) });
  const other = at(same, { treeId: 'd'.repeat(40) });
  expect(merge([old], [good(same)]).pipelines[0]).toBe(old);
  expect(merge([old], [good(other)]).pipelines[0]).toBe(other);
  const discovered = { ...same, assets: [] };
  expect(merge([old], [good(discovered)]).pipelines[0]).toBe(discovered);
});

it('law 2: broken is held, new and broken is absent, gone is gone, mended is current', () => {
  const previous = [
    pipelineState('broken'),
    pipelineState('gone'),
    pipelineState('mended', {}, { status: 'held' }),
  ];
  const { pipelines } = merge(previous, [broken('broken'), broken('new'), good(pipelineState('mended'))]);
  expect(pipelines.map(({ name, status }) => [name, status])).toEqual([
    ['broken', 'held'],
    ['mended', 'current'],
  ]);
  expect(merge(pipelines, [broken('broken')]).pipelines[0]).toBe(pipelines[0]);
});

it.each(['current', 'held'] as const)(
  'a folder that breaks while its discovery is pending (%s) does not stay so',
  (status) => {
    const old = pipelineState('a', {}, { status });
    const pending = { ...old, discovery: { ...old.discovery, status: 'pending' as const } };
    const { pipelines } = merge([pending], [broken('a')]);
    expect(pipelines).toMatchObject([{ name: 'a', status: 'held', discovery: { status: 'failed' } }]);
    expect(merge(pipelines, [broken('a')]).pipelines[0]).toBe(pipelines[0]);
  },
);

it('a new folder that its discovery finds broken is absent: it has no good revision to be held at', () => {
  const old = pipelineState('a');
  const guess = { ...old, discovery: { ...old.discovery, status: 'pending' as const } };
  expect(merge([guess], [{ ...broken('a'), neverGood: true } as FolderOutcome]).pipelines).toEqual([]);
});

it('a refused second folder of the same name does not hold the first one', () => {
  const first = pipelineState('a');
  const { pipelines } = merge(
    [first],
    [good(at(pipelineState('a'), { commit: 'x' })), broken('a', 'pipelines/a')],
  );
  expect(pipelines).toEqual([first]);
});

it('C2: no asset key has two holders, whatever is held', () => {
  const older = making('older', 'shared');
  const { pipelines, diagnostics } = merge([older], [good(making('a_newer', 'shared')), good(older)]);
  expect(pipelines.map(({ name }) => name)).toEqual(['older']);
  expect(diagnostics.map(({ pipeline, severity }) => [pipeline, severity])).toEqual([
    ['a_newer', 'error'],
    ['older', 'warning'],
  ]);
});

it('C2: one that goes back to its last good state may not take a key that another now makes', () => {
  const previous = [making('a', 'one'), making('b', 'two')];
  // a is broken and goes on making "one"; b now makes "one" too, c makes what b gave up.
  const { pipelines } = merge(previous, [broken('a'), good(making('b', 'one')), good(making('c', 'two'))]);
  const makers = pipelines.flatMap(({ name, assets }) => assets.map(({ key }) => `${key} by ${name}`));
  expect(makers).toEqual(['one by a', 'two by b']);
});

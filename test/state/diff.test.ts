import { expect, it } from 'vitest';
import { diffSnapshots } from '../../src/state/diff.ts';
import { pipelineState, snapshotOf } from '../helpers/snapshots.ts';

const schedule = {
  cron: ['0 2 * * *'],
  timezone: 'UTC',
  defaultStatus: 'RUNNING',
  catchUp: 'latest',
  overlap: 'skip',
  jitterSeconds: 0,
} as const;

it('names what comes, goes and changes, field by field', () => {
  const before = snapshotOf([
    pipelineState('gone'),
    pipelineState('kept', { schedule, tags: { someTag: 'a' } }),
    pipelineState('same'),
  ]);
  const after = snapshotOf([
    pipelineState(
      'kept',
      {
        schedule: { ...schedule, cron: ['0 3 * * *'] },
        tags: { someTag: 'b', new: 'c' },
        retryPolicy: { maxRetries: 1, delay: 5 },
      },
      {
        status: 'held',
        assets: [{ key: 'other', kind: 'python', deps: [], checks: [] }],
        code: { ...pipelineState('kept').code, contentDigest: 'new' },
      },
    ),
    pipelineState('new'),
    pipelineState('same', { source: { file: 'moved', line: 9, column: 1 } }),
  ]);
  expect(diffSnapshots(before, after)).toEqual({
    added: ['new'],
    removed: ['gone'],
    changed: [
      {
        pipeline: 'kept',
        fields: [
          { field: 'status', from: 'current', to: 'held' },
          { field: 'retry_policy', from: null, to: { max_retries: 1, delay: 5 } },
          { field: 'schedule.cron_schedule', from: '0 2 * * *', to: '0 3 * * *' },
          { field: 'tags.new', from: null, to: 'c' },
          { field: 'tags.someTag', from: 'a', to: 'b' },
          { field: 'assets.kept', from: 'kept', to: null },
          { field: 'assets.other', from: null, to: 'other' },
          { field: 'content', from: 'content-of-kept', to: 'new' },
        ],
      },
    ],
  });
});

it('from nothing everything is added; to itself nothing changes', () => {
  const snapshot = snapshotOf([pipelineState('a'), pipelineState('b')]);
  expect(diffSnapshots(null, snapshot)).toEqual({ added: ['a', 'b'], removed: [], changed: [] });
  expect(diffSnapshots(snapshot, structuredClone(snapshot))).toEqual({ added: [], removed: [], changed: [] });
});

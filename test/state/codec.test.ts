import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSnapshot, encodeSnapshot, snapshotDigest } from '../../src/state/codec.ts';
import { pipelineState, snapshotOf } from '../helpers/snapshots.ts';

interface StateFile extends Record<string, unknown> {
  readonly repo: Record<string, unknown>;
  readonly pipelines: readonly unknown[];
}

const RICH = snapshotOf(
  [
    pipelineState(
      'orders',
      {
        tags: { teamName: 'x', team_name: 'y' },
        env: { MY_VAR: '${MY_VAR}', camelCase: 'v' },
        metadata: [{ key: 'runbook', value: { someKey: { inner_key: 1 } }, type: 'json' }],
        deps: [
          {
            asset: 'a',
            partitionMapping: {
              kind: 'multi',
              dimensions: {
                dayOf: { dimension: 'x', mapping: { kind: 'time_window', startOffset: -1, endOffset: 0 } },
              },
            },
          },
          { asset: 'b', partitionMapping: { kind: 'static', map: { keyA: ['valueB'] } } },
        ],
        partitions: {
          kind: 'multi',
          dimensions: {
            runDate: {
              kind: 'time',
              start: '2026-01-01',
              end: null,
              cron: '0 0 * * *',
              timezone: 'UTC',
              fmt: '%Y-%m-%d',
              endOffset: 0,
              exclusions: [],
            },
            regionName: { kind: 'static', keys: ['a', 'b'] },
          },
        },
        retryPolicy: { maxRetries: 3, delay: 60, backoff: 'EXPONENTIAL' },
        checks: [
          {
            name: 'c',
            type: 'row_count',
            blocking: true,
            severity: 'ERROR',
            settings: { minRows: 1, max_rows: 2 },
          },
        ],
        pools: ['duckDb'],
        assets: {
          someResource: {
            codeVersion: '2',
            tags: { aB: 'c' },
            metadata: [{ key: 'k', value: 1, type: 'int' }],
          },
        },
        dlt: {
          script: 'pipeline.py',
          sourceArgs: { someArg: { nestedArg: 1, snake_arg: 2 } },
          resources: [],
          assetPer: 'resource',
          incremental: { someResource: { cursorPath: 'updated_at', initialValue: 1 } },
        },
        dbt: {
          vars: { someVar: 1 },
          assetSets: [{ select: 'tag:daily' }],
          translator: { sourceKey: 'name', modelKey: 'name' },
        },
      },
      {
        assets: [
          {
            key: 'dlt_orders/items',
            kind: 'dlt',
            deps: [],
            assetSet: 1,
            partitions: null,
            checks: [{ name: 'unique', severity: 'WARN', blocking: false, toolId: 'test.x' }],
            tags: { someTag: 'x' },
            metadata: { rowCount: 5, row_count: 6 },
          },
        ],
      },
    ),
    pipelineState('held', {}, { status: 'held' }),
  ],
  {
    conditions: [{ type: 'Ready', status: 'True', reason: 'Applied', message: 'm', since: 1000 }],
    diagnostics: [
      { code: 'CONFIG_TYPE', severity: 'error', message: 'm', file: 'f', line: 1, column: 2, hint: 'h' },
    ],
    instance: {
      runRetries: { enabled: true, maxRetries: 2 },
      maxConcurrentRuns: 5,
      pools: { duckDb: 1, other_pool: 2 },
    },
  },
);

describe('codec', () => {
  it('reads back what it wrote, with the keys of users as they are', () => {
    const text = encodeSnapshot(RICH).toString();
    expect(decodeSnapshot(text)).toEqual({ ok: RICH });
    const file: StateFile = JSON.parse(text);
    expect(Object.keys(file)).toEqual([
      'component',
      'conditions',
      'diagnostics',
      'digest',
      'instance',
      'pipelines',
      'repo',
      'taken_at',
      'version',
    ]);
    expect(text).toBe(`${JSON.stringify(file, null, 2)}\n`);
    expect(file.repo.committed_at).toBe('2026-01-02T00:00:00.000Z');
    expect(file.pipelines[0]).toMatchObject({
      name: 'orders',
      tool: 'python',
      revision: 'a'.repeat(40),
      content_digest: 'content-of-orders',
      assets: [{ asset_set: 1, checks: [{ tool_id: 'test.x' }], metadata: { rowCount: 5, row_count: 6 } }],
      config: {
        retry_policy: { max_retries: 3 },
        tags: { teamName: 'x', team_name: 'y' },
        assets: { someResource: { code_version: '2' } },
        partitions: { dimensions: { runDate: { end_offset: 0 } } },
        dlt: {
          source_args: { someArg: { nestedArg: 1, snake_arg: 2 } },
          incremental: { someResource: { cursor_path: 'updated_at' } },
        },
      },
    });
    expect(file.instance).toEqual({
      run_retries: { enabled: true, max_retries: 2 },
      max_concurrent_runs: 5,
      pools: { duckDb: 1, other_pool: 2 },
    });
  });

  it('keeps any names and values that users write', () => {
    const names = fc.dictionary(fc.string(), fc.string());
    fc.assert(
      fc.property(
        names,
        names,
        fc.dictionary(fc.string(), fc.jsonValue({ noNegativeZero: true } as object)),
        (tags, env, sourceArgs) => {
          const dlt = {
            script: 's',
            sourceArgs,
            resources: [],
            assetPer: 'pipeline',
            incremental: {},
          } as const;
          const snapshot = snapshotOf([pipelineState('p', { tags, env, dlt })]);
          const result = decodeSnapshot(encodeSnapshot(snapshot).toString());
          expect('ok' in result && JSON.stringify(result.ok)).toBe(
            JSON.stringify('ok' in result ? { ...result.ok } : null),
          );
          expect('ok' in result ? result.ok.digest : result.problem).toBe(snapshot.digest);
          expect('ok' in result && result.ok.pipelines[0]?.config.tags).toEqual(tags);
          expect('ok' in result && result.ok.pipelines[0]?.config.env).toEqual(env);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('the digest leaves out time and conditions, and nothing else', () => {
    const later = { ...RICH, takenAt: 5, conditions: [] };
    expect(snapshotDigest(later)).toBe(RICH.digest);
    expect(snapshotDigest({ ...RICH, repo: { ...RICH.repo, commit: 'c' } })).not.toBe(RICH.digest);
    expect(snapshotDigest({ ...RICH, diagnostics: [] })).not.toBe(RICH.digest);
    expect(snapshotDigest({ ...RICH, pipelines: RICH.pipelines.slice(1) })).not.toBe(RICH.digest);
    const held = RICH.pipelines.map((pipeline) => ({ ...pipeline, status: 'held' as const }));
    expect(snapshotDigest({ ...RICH, pipelines: held })).not.toBe(RICH.digest);
  });

  it('C7: refuses every truncation, another version and any edit', () => {
    const text = encodeSnapshot(RICH).toString();
    for (let length = 0; length < text.length - 2; length += 37) {
      expect(decodeSnapshot(text.slice(0, length))).toHaveProperty('problem');
    }
    expect(decodeSnapshot(text.replace('"version": 1', '"version": 2'))).toEqual({
      problem: 'it has version 2, this release reads 1',
    });
    expect(decodeSnapshot(text.replace('"max_retries": 3', '"max_retries": 4'))).toEqual({
      problem: 'its content does not match its digest',
    });
    expect(decodeSnapshot('[]')).toHaveProperty('problem');
    expect(decodeSnapshot('{"version": 1}')).toEqual({
      problem: 'it does not have the shape of a state file',
    });
  });
});

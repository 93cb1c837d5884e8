import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildDefinitions } from '../../src/definitions/build.ts';
import type { PipelineState } from '../../src/state/snapshot.ts';
import {
  DAILY,
  REGIONS,
  sampleDefinitions,
  samplePipeline,
  sampleSnapshot,
} from '../helpers/sample-definitions.ts';

const SCHEDULE = {
  cron: ['0 2 * * *'],
  timezone: 'UTC',
  defaultStatus: 'RUNNING',
  catchUp: 'latest',
  overlap: 'skip',
  jitterSeconds: 0,
} as const;

describe('buildDefinitions', () => {
  it('lays dagster.yaml over what discovery found, and the section of the asset over both', () => {
    const { definitions } = sampleDefinitions({
      dlt_shop: {
        tool: 'dlt',
        config: {
          group: 'raw',
          owners: ['team:data'],
          tags: { team: 'data' },
          kinds: ['dlt', 'duckdb'],
          partitions: DAILY,
          deps: [{ asset: 'outside' }],
          retryPolicy: { maxRetries: 2, delay: 1 },
          assets: { customers: { group: 'crm', partitions: null, tags: { pii: 'yes' } } },
        },
        assets: {
          'dlt_shop/orders': { resource: 'orders', description: 'Orders', tags: { elt_type: 'dlt' } },
          'dlt_shop/customers': { resource: 'customers' },
        },
      },
    });
    const orders = definitions.assets.nodes.get('dlt_shop/orders')!;
    expect(orders).toMatchObject({
      group: 'raw',
      owners: ['team:data'],
      tags: { team: 'data', elt_type: 'dlt' },
      partitions: DAILY,
      deps: [{ key: 'outside' }],
      retryPolicy: { maxRetries: 2, delay: 1 },
      description: 'Orders',
    });
    const customers = definitions.assets.nodes.get('dlt_shop/customers')!;
    expect(customers).toMatchObject({ group: 'crm', tags: { team: 'data', pii: 'yes' } });
    expect(customers.partitions).toBeUndefined();
    expect(definitions.assets.nodes.get('outside')).toMatchObject({ kind: 'external', pipeline: '' });
  });

  it('gives jobs per pipeline, per group and for all, without disabled and external assets', () => {
    const { definitions } = sampleDefinitions({
      a: { config: { group: 'x' }, assets: { one: {}, two: { deps: ['elsewhere'] } } },
      b: { config: { group: 'x', enabled: false }, assets: { three: {} } },
    });
    expect(Object.fromEntries([...definitions.jobs].map(([name, job]) => [name, job.assets]))).toEqual({
      a_job: ['one', 'two'],
      group_x_job: ['one', 'two'],
      all_assets_job: ['one', 'two'],
    });
  });

  it('A1: makes a schedule only of an enabled pipeline that has one', () => {
    const { definitions } = sampleDefinitions({
      on: { config: { schedule: SCHEDULE }, assets: { on: {} } },
      off: { config: { schedule: SCHEDULE, enabled: false }, assets: { off: {} } },
      none: { assets: { none: {} } },
    });
    expect([...definitions.schedules.keys()]).toEqual(['on_schedule']);
    expect(definitions.schedules.get('on_schedule')).toMatchObject({ job: 'on_job', assets: ['on'] });
  });

  it('orders assets by their dependencies and says which dependency closes a cycle', () => {
    const { definitions, diagnostics } = sampleDefinitions({
      p: {
        assets: { c: { deps: ['b'] }, a: {}, b: { deps: ['a'] }, x: { deps: ['y'] }, y: { deps: ['x'] } },
      },
    });
    const { order } = definitions.assets;
    expect(order.indexOf('a')).toBeLessThan(order.indexOf('b'));
    expect(order.indexOf('b')).toBeLessThan(order.indexOf('c'));
    expect(order).toHaveLength(5);
    expect(diagnostics.map((d) => d.code)).toEqual(['DEPENDENCY_CYCLE']);
  });

  it('suggests the key that a misspelt dependency means', () => {
    const { diagnostics } = sampleDefinitions({
      a: { assets: { dlt_orders: {} } },
      b: { assets: { report: { deps: ['dlt_order'] } } },
    });
    expect(diagnostics).toMatchObject([
      { code: 'DEPENDENCY_UNKNOWN', severity: 'warning', hint: 'did you mean "dlt_orders"?' },
    ]);
  });

  it('C2: the component that came first keeps a key that two claim', () => {
    const snapshot = sampleSnapshot({ a: { assets: { shared: {} } } });
    const { definitions, diagnostics } = buildDefinitions([
      { component: 'main', revisionId: 1, snapshot },
      { component: 'other', revisionId: 2, snapshot: { ...snapshot, component: 'other' } },
    ]);
    expect(definitions.assets.nodes.get('shared')!.component).toBe('main');
    expect(diagnostics).toMatchObject([{ code: 'ASSET_DUPLICATE', severity: 'error', pipeline: 'a' }]);
  });

  it('has a digest of meaning only', () => {
    const digest = (message: string, group: string) => {
      const snapshot = sampleSnapshot({ a: { config: { group }, assets: { one: { partitions: REGIONS } } } });
      const moved = {
        ...snapshot,
        takenAt: message.length,
        repo: { ...snapshot.repo, message, commit: message },
      };
      return buildDefinitions([{ component: 'main', revisionId: message.length, snapshot: moved }])
        .definitions.digest;
    };
    expect(digest('one', 'g')).toBe(digest('another', 'g'));
    expect(digest('one', 'g')).not.toBe(digest('one', 'h'));
  });

  it('is the same whether it was built from what is known of earlier revisions or anew', () => {
    const keys = ['a', 'b', 'c', 'd'];
    const change = fc.record({
      name: fc.constantFrom(...keys),
      deps: fc.subarray([...keys, 'outside']),
      group: fc.constantFrom('x', 'y'),
      scheduled: fc.boolean(),
      removed: fc.boolean(),
      held: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
        const pipelines = new Map<string, PipelineState>();
        for (const { name, deps, group, scheduled, removed, held } of changes) {
          const config = { group, ...(scheduled ? { schedule: SCHEDULE } : {}) };
          pipelines.delete(name);
          const assets = { [name]: { deps: deps.filter((key) => key !== name) } };
          if (!removed) pipelines.set(name, samplePipeline(name, { held, config, assets }));
          const snapshot = { ...sampleSnapshot({}), pipelines: [...pipelines.values()] };
          const source = { component: 'main', revisionId: 1, snapshot };
          // Copies are known to nobody.
          expect(buildDefinitions([source])).toEqual(buildDefinitions([structuredClone(source)]));
        }
      }),
      { numRuns: 100 },
    );
  });
});

import { describe, expect, it } from 'vitest';
import type { StepSpec } from '../../src/plan/step-spec.ts';
import { type DbtRequest, dbtRequest } from '../../src/runners/dbt/request.ts';
import { stepSpec } from '../helpers/run-step-command.ts';

const DBT = {
  vars: { currency: 'EUR' },
  assetSets: [],
  translator: { sourceKey: 'name', modelKey: 'name' },
} as const;
const PLACES = { stepDir: '/step', stateDir: '/state', python: '/envs/a/bin/python' };

function request(fields: Partial<StepSpec> = {}, places = PLACES, target?: string): DbtRequest {
  const dbt = target === undefined ? DBT : { ...DBT, target };
  const assets = [{ key: 'orders', resource: 'model.shop.orders' }] as unknown as StepSpec['assets'];
  return dbtRequest(
    stepSpec('dbt', { dbt }, { assets, ...fields }),
    [
      {
        key: 'eu|2026-01-05',
        dimensions: { region: 'eu', date: '2026-01-05' },
        window: { start: Date.parse('2026-01-05T00:00:00Z'), end: Date.parse('2026-01-06T00:00:00Z') },
      },
    ],
    places,
  );
}

describe('the parsed project that runs share', () => {
  const same = request().parse_cache;

  it('is one for the same content, environment and target, whatever the run and its partition', () => {
    expect(request({ partitions: { kind: 'key', key: 'eu|2026-01-05' } }).parse_cache).toBe(same);
    expect(same).toMatch(/^\/state\/dbt\/parsed\/[0-9a-f]{16}\.msgpack$/);
    // The run's own target folder is in its private step folder.
    expect(request().target_path).toBe('/step/target');
  });

  it.each([
    ['content', request({ code: { ...stepSpec('dbt', { dbt: DBT }).code, contentDigest: 'sha256:1' } })],
    ['environment', request({}, { ...PLACES, python: '/envs/b/bin/python' })],
    ['target', request({}, PLACES, 'prod')],
  ])('is another one for another %s', (_, other) => {
    expect(other.parse_cache).not.toBe(same);
  });
});

it('gives a partition as vars and as variables', () => {
  const { vars, portions } = request();
  expect(vars).toEqual({ currency: 'EUR' });
  expect(portions).toEqual([
    {
      partition: 'eu|2026-01-05',
      vars: {
        start_time: '2026-01-05 00:00:00',
        end_time: '2026-01-06 00:00:00',
        partition_key: 'eu|2026-01-05',
        region: 'eu',
        partition_key_region: 'eu',
        date: '2026-01-05',
        partition_key_date: '2026-01-05',
      },
      variables: expect.objectContaining({
        ELT_PARTITION_KEY: 'eu|2026-01-05',
        ELT_PARTITION_KEY_REGION: 'eu',
        ELT_PARTITION_START: '2026-01-05T00:00:00+00:00',
      }),
    },
  ]);
});

it('does not rebuild a table for a full refresh of one partition', () => {
  const partition = request({ fullRefresh: true, partitions: { kind: 'key', key: 'eu|2026-01-05' } });
  expect([partition.full_refresh, partition.warnings.length]).toEqual([false, 1]);
  expect(request({ fullRefresh: true }).full_refresh).toBe(true);
});

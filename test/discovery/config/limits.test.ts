import { describe, expect, it } from 'vitest';
import { configShape } from '../../../src/definitions/config-shape.ts';
import type { DiscoverOutput } from '../../../src/discovery/discover.ts';
import type { Limits } from '../../../src/discovery/pipeline-config.ts';
import { discover, linesOf, stateOf } from '../../helpers/discover.ts';

function read(yaml: string, instance?: string): Promise<DiscoverOutput> {
  return discover({
    'pipelines/orders/dagster.yaml': yaml,
    'pipelines/orders/pipeline.py': 'def run(): pass',
    ...(instance === undefined ? {} : { 'dagster.yaml': instance }),
  });
}

describe('limits of a pipeline', () => {
  it.each<[string, Limits | undefined, object]>([
    [
      'limits: { memory: 2GB, cpus: 1.5, cpu_time: 30m }',
      { memoryBytes: 2e9, cpus: 1.5, cpuTimeSeconds: 1800 },
      { memory: '2GB', cpus: 1.5, cpu_time: '1800s' },
    ],
    ['limits: { memory: 512Mi }', { memoryBytes: 512 * 2 ** 20 }, { memory: '512MiB' }],
    ['limits: { memory: 536870912 }', { memoryBytes: 512 * 2 ** 20 }, { memory: '512MiB' }],
    ['limits: { cpu_time: 90 }', { cpuTimeSeconds: 90 }, { cpu_time: '90s' }],
  ])('%s: read, and shown with the keys of the file', async (yaml, limits, shape) => {
    const output = await read(yaml);
    expect(linesOf(output)).toEqual([]);
    const { config } = stateOf(output, 'orders');
    expect(config.limits).toEqual(limits);
    expect(JSON.parse(JSON.stringify(configShape(config)['limits']))).toEqual(shape);
  });

  it('none, said by nobody or emptily', async () => {
    for (const yaml of ['', 'limits:', 'limits: {}', 'limits: { memory: }']) {
      expect(stateOf(await read(yaml), 'orders').config).not.toHaveProperty('limits');
    }
  });

  it.each([
    ['limits: 2GB', '1:9 error CONFIG_TYPE a mapping is needed, this is text (2GB)'],
    [
      'limits: { memory: lots }',
      '1:19 error CONFIG_VALUE "lots" is not an amount of memory (write 2GB, 512MB or 1.5GiB)',
    ],
    [
      'limits: { memory: yes }',
      '1:19 error CONFIG_VALUE "yes" is not an amount of memory (write 2GB, 512MB or 1.5GiB)',
    ],
    [
      'limits: { memory: [2GB] }',
      '1:19 error CONFIG_VALUE this is not an amount of memory (write 2GB, 512MB or 1.5GiB)',
    ],
    ['limits:\n  memory: 2', '2:11 error CONFIG_VALUE 2B is less than 32MB (a unit is needed: 2GB, 512MB)'],
    ['limits: { memory: 5000TB }', '1:19 error CONFIG_VALUE 5000TB is more than any machine has'],
    ['limits: { cpus: 0 }', '1:17 error CONFIG_VALUE 0 is less than 0.01'],
    ['limits: { cpus: two }', '1:17 error CONFIG_TYPE a number is needed, this is text (two)'],
    [
      'limits: { cpu_time: 30 minutes }',
      '1:21 error CONFIG_VALUE "30 minutes" is not a duration (write 30s, 5m, 1h or 1h30m)',
    ],
    [
      'limits: { cpu_time: 10ms }',
      '1:21 error CONFIG_VALUE no tool starts in less than a second of processor time',
    ],
    [
      'limits: { mem: 2GB }',
      '1:11 error CONFIG_UNKNOWN_KEY "mem" is not a key of "limits" (did you mean "memory"?)',
    ],
    [
      'limit: { memory: 2GB }',
      '1:1 error CONFIG_UNKNOWN_KEY "limit" is not a key of this file (did you mean "limits"?)',
    ],
  ])('%j is refused with its place', async (yaml, told) => {
    expect(linesOf(await read(yaml))).toEqual([`pipelines/orders/dagster.yaml:${told}`]);
  });
});

describe('limits of the instance', () => {
  it('stand in the file at the root', async () => {
    const { instance } = await read('', 'limits: { memory: 1GB }');
    expect(instance).toMatchObject({ limits: { memoryBytes: 1e9 } });
  });

  it('are refused with their place', async () => {
    expect(linesOf(await read('', 'limits: { memory: 1 }'))).toEqual([
      'dagster.yaml:1:19 error CONFIG_VALUE 1B is less than 32MB (a unit is needed: 2GB, 512MB)',
    ]);
  });
});

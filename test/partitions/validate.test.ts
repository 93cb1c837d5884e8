import { describe, expect, it } from 'vitest';
import type { PartitionsDefinition } from '../../src/partitions/definition/partitions-definition.ts';
import { validatePartitions } from '../../src/partitions/partition-set.ts';
import { time } from './helpers.ts';

function faults(definition: PartitionsDefinition): string[] {
  return validatePartitions(definition).map(({ path, message }) => `${path}: ${message}`);
}

describe('validatePartitions', () => {
  it('reports all faults at once', () => {
    const definition = time('0 0 * *', '2024-02-30', {
      end: 'x',
      timezone: 'Mars/Olympus',
      exclusions: ['never'],
    });
    expect(validatePartitions(definition).map(({ path }) => path)).toEqual([
      'cron',
      'timezone',
      'start',
      'end',
      'exclusions.0',
    ]);
  });

  it.each([
    [time('0 * * * *', '2024-01-01'), 'fmt "%Y-%m-%d" is too coarse for "0 * * * *"'],
    [time('*/15 * * * *', '2024-01-01-00', { fmt: '%Y-%m-%d-%H' }), 'fmt "%Y-%m-%d-%H" is too coarse'],
    [time('0 0 * * *', '01-01', { fmt: '%m-%d' }), 'the year is not in it'],
    [time('0 0 * * *', '2024-01', { fmt: '%Y-%d' }), 'fmt "%Y-%d" is too coarse'],
    [time('0 0 * * *', '2024-W01', { fmt: '%G-W%V' }), '%G needs %V and a weekday (%u)'],
    [time('0 0 * * *', '2024-01-01', { fmt: '%F' }), 'fmt has "%F", which cannot be read back'],
    [time('0 0 * * *', '2024-01-05', { end: '2024-01-01' }), 'end "2024-01-01" is before start "2024-01-05"'],
    [time('0 0 31 4 *', '2024-01-01'), 'never ticks'],
  ])('finds fault %#', (definition, message) => {
    expect(faults(definition).join('\n')).toContain(message);
  });

  it.each([
    time('0 0 * * 1', '2024-W01-1', { fmt: '%G-W%V-%u' }),
    time('0 0 1 * *', '2024-01', { fmt: '%Y-%m' }),
    time('0 0 1 1 *', '15', { fmt: '%y' }),
    time('0 * * * *', '2024-11-02T00:00:00-0400', {
      fmt: '%Y-%m-%dT%H:%M:%S%z',
      timezone: 'America/New_York',
    }),
    time('0 9 * * *', '2024-01-01 09 AM', { fmt: '%Y-%m-%d %I %p' }),
    time('0 0 * * *', '2024-001', { fmt: '%Y-%j' }),
    { kind: 'static', keys: [] } as const,
    { kind: 'static', keys: ['A', 'a', 'a/b', 'a|b'] } as const,
  ])('takes %j', (definition) => {
    expect(faults(definition)).toEqual([]);
  });

  it('refuses what would make static keys ambiguous', () => {
    expect(faults({ kind: 'static', keys: ['a', 'b', 'a', 'x...y', 'tab\there'] })).toEqual([
      'keys.2: key "a" is given twice',
      'keys.3: key "x...y" has "..." in it',
      'keys.4: key "tab\\there" has a control character in it',
    ]);
  });

  it('checks both dimensions, and their number', () => {
    const dimensions = {
      date: time('0 0 * * *', '2024/01/01'),
      region: { kind: 'static', keys: ['a|b', 'a,b'] },
    } as const;
    expect(faults({ kind: 'multi', dimensions })).toEqual([
      'dimensions.date.start: start "2024/01/01" does not match fmt "%Y-%m-%d"',
      `dimensions.region.keys.0: "|" cannot stand in the dimension's key "a|b"`,
      `dimensions.region.keys.1: "," cannot stand in the dimension's key "a,b"`,
    ]);
    expect(faults({ kind: 'multi', dimensions: { date: time('0 0 * * *', '2024-01-01') } })).toEqual([
      'dimensions: there are 1 dimensions, exactly 2 are needed',
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import { automationGraphOf } from '../../src/automation/automation-graph.ts';
import { conditionText } from '../../src/definitions/automation-condition/condition-text.ts';
import { mappingOf } from '../../src/definitions/dep-mapping.ts';
import type { MultiPartitions } from '../../src/partitions/definition/partitions-definition.ts';
import { DAILY, REGIONS, sampleDefinitions } from '../helpers/sample-definitions.ts';

describe('the graph of published definitions', () => {
  const timeWindow = { kind: 'time_window', startOffset: -1, endOffset: 0 } as const;
  const { definitions } = sampleDefinitions({
    raw: { config: { partitions: DAILY, tags: { layer: 'raw' } }, assets: { raw: {} } },
    mart: {
      config: {
        partitions: DAILY,
        deps: [{ asset: 'raw', partitionMapping: timeWindow }, { asset: 'outside' }],
        automation: { condition: 'on_cron', cron: '0 6 * * *', timezone: 'Europe/Berlin' },
        checks: [{ name: 'rows', type: 'row_count', blocking: true, severity: 'WARN', settings: {} }],
      },
      assets: { mart: {} },
    },
    off: {
      config: { enabled: false, automation: { condition: 'eager' } },
      assets: { off: { deps: ['mart'] } },
    },
    old: { config: { automation: { condition: 'no longer a condition' } }, assets: { old: {} } },
  });
  const graph = automationGraphOf(definitions.assets);

  it('has each asset with its condition, its checks and how its dependencies map', () => {
    const mart = graph.assets.get('mart')!;
    expect(mart).toMatchObject({
      partitions: DAILY,
      deps: [
        { key: 'outside', mapping: { kind: 'all' } },
        { key: 'raw', mapping: { ...timeWindow, allowNonexistentUpstream: false } },
      ],
      downstream: ['off'],
      checks: [{ name: 'rows', blocking: true }],
    });
    expect(mart.condition?.label).toBe('on_cron(0 6 * * *, Europe/Berlin)');
    expect(conditionText(mart.condition!)).toContain('cron_tick_passed("0 6 * * *", "Europe/Berlin")');
  });

  it('requests nothing of what is disabled, external, or written in a way that cannot be read', () => {
    expect(
      [...graph.assets.values()].filter(({ condition }) => condition !== null).map(({ key }) => key),
    ).toEqual(['mart']);
  });

  it('puts parents first', () => {
    expect(graph.order.indexOf('raw')).toBeLessThan(graph.order.indexOf('mart'));
    expect([...graph.order].sort()).toEqual([...graph.assets.keys()].sort());
  });

  it.each([
    ['outside', ['outside']],
    ['tag:layer=raw', ['raw']],
    ['raw or mart', ['raw', 'mart']],
    ['nobody', []],
  ])('selects %s', (selection, keys) => {
    expect([...graph.select(selection)]).toEqual(keys);
  });
});

describe('a mapping', () => {
  it('that does not fit the definitions gives way to the default one', () => {
    const map = { kind: 'static', map: { eu: 'us' } } as const;
    expect(mappingOf(DAILY, DAILY, map)).toEqual(mappingOf(DAILY, DAILY, undefined));
    expect(mappingOf(REGIONS, REGIONS, { kind: 'specific', partitionKeys: ['eu'] })).toEqual({
      kind: 'specific',
      keys: ['eu'],
    });
  });

  it('of two dimensions is read side by side', () => {
    const both = { kind: 'multi', dimensions: { date: DAILY, region: REGIONS } } as MultiPartitions;
    const dimensions = {
      date: { dimension: 'date', mapping: { kind: 'time_window', startOffset: -1, endOffset: -1 } },
      region: { dimension: 'region', mapping: { kind: 'identity' } },
    } as const;
    expect(mappingOf(both, both, { kind: 'multi', dimensions })).toEqual({
      kind: 'multi',
      dimensions: {
        ...dimensions,
        date: { dimension: 'date', mapping: { ...dimensions.date.mapping, allowNonexistentUpstream: false } },
      },
    });
  });
});

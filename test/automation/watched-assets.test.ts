import { describe, expect, it } from 'vitest';
import { nextDueAt, watchedAssets } from '../../src/automation/watched-assets.ts';
import { parseAutomationCondition } from '../../src/definitions/automation-condition/parse.ts';
import type { TimeWindowPartitions } from '../../src/partitions/definition/partitions-definition.ts';
import { type AssetScript, AutomationWorld } from '../helpers/automation-world.ts';
import { DAILY } from '../helpers/sample-definitions.ts';

function worldOf(conditions: Readonly<Record<string, string>>, partitions: AssetScript['partitions'] = null) {
  const world = new AutomationWorld();
  const common = { partitions, codeVersion: null, checks: [], external: false };
  world.addAsset({ ...common, key: 'other', deps: [], condition: null });
  world.addAsset({ ...common, key: 'raw', deps: [], condition: null });
  for (const [key, text] of Object.entries(conditions)) {
    const parsed = parseAutomationCondition(text);
    if (!parsed.ok) throw new Error(parsed.problem.message);
    world.addAsset({ ...common, key, deps: [{ key: 'raw' }], condition: parsed.condition });
  }
  return world.graph();
}

const cursors = new Map([
  ['first', { eventId: 40 }],
  ['second', { eventId: 30 }],
]);

describe('watched assets', () => {
  it('are those that conditions look at, with the oldest event that one of them asks after', () => {
    const graph = worldOf({ first: 'eager', second: 'eager', third: 'eager' });
    const after = watchedAssets(graph, cursors).map(({ key, writesAfter }) => [key, writesAfter]);
    expect(after).toEqual([
      ['raw', 30],
      ['first', 40],
      ['second', 30],
      ['third', Number.POSITIVE_INFINITY],
    ]);
    expect(watchedAssets(worldOf({}), cursors)).toEqual([]);
  });

  it.each<[string, number]>([
    ['any_deps_match(newly_updated() & ~executed_with_root_target())', 40],
    ['any_deps_match(executed_with_root_target() & newly_updated())', 0],
    ['any_deps_match(missing() | executed_with_root_target())', 0],
    ['any_deps_match(newly_updated() & (missing() | executed_with_root_target()))', 40],
    ['any_deps_match(newly_updated() & executed_with_root_target().newly_true())', 0],
    ['asset_matches("raw", ~executed_with_root_target())', 0],
  ])('are asked for their whole past only by what looks back: %s', (text, expected) => {
    const [raw] = watchedAssets(worldOf({ first: text }), cursors);
    expect(raw).toMatchObject({ key: 'raw', writesAfter: expected });
  });
});

describe('the next instant at which time alone changes an answer', () => {
  const noon = Date.UTC(2026, 0, 20, 12);
  it.each<[string, string, AssetScript['partitions'], number | null]>([
    ['a tick of a condition', 'on_cron("30 12 * * *", "UTC")', null, Date.UTC(2026, 0, 20, 12, 30)],
    ['a tick now has passed', 'on_cron("0 12 * * *", "UTC")', null, Date.UTC(2026, 0, 21, 12)],
    ['a window that ends', 'eager', DAILY, Date.UTC(2026, 0, 21)],
    [
      'a window of a dimension',
      'eager',
      {
        kind: 'multi',
        dimensions: {
          hour: { ...DAILY, cron: '0 * * * *', fmt: '%Y-%m-%d-%H' } as TimeWindowPartitions,
          till: { kind: 'static', keys: ['a'] },
        },
      },
      Date.UTC(2026, 0, 20, 13),
    ],
    ['nothing', 'eager', null, null],
  ])('%s', (_what, text, partitions, expected) => {
    expect(nextDueAt(worldOf({ first: text }, partitions), noon)).toBe(expected);
  });
});

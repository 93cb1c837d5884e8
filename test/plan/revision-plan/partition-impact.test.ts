import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Definitions } from '../../../src/definitions/definitions.ts';
import type {
  PartitionsDefinition,
  TimeWindowPartitions,
} from '../../../src/partitions/definition/partitions-definition.ts';
import { allPartitions, subsetOfKeys } from '../../../src/partitions/subset/subset-keys.ts';
import { translateSubset } from '../../../src/partitions/subset/translate.ts';
import {
  type ImpactCandidate,
  impactCandidates,
  partitionImpact,
  type WrittenWith,
} from '../../../src/plan/revision-plan/partition-impact.ts';
import type { PartitionSpans } from '../../../src/plan/revision-plan.ts';
import {
  DAILY,
  DAILY_BY_CATEGORY,
  REGIONS,
  sampleDefinitions,
  WEEKLY,
} from '../../helpers/sample-definitions.ts';

const NOW = Date.UTC(2026, 0, 20, 12);
const daily = DAILY as TimeWindowPartitions;
const HOURLY: PartitionsDefinition = {
  ...daily,
  start: '2026-01-19-00:00',
  cron: '0 * * * *',
  fmt: '%Y-%m-%d-%H:%M',
};

interface Side {
  readonly partitions?: PartitionsDefinition;
  readonly version?: string;
  readonly enabled?: boolean;
}

function defs(side: Side | null): Definitions {
  if (side === null) return sampleDefinitions({}).definitions;
  const { partitions, version = 'v1', enabled = true } = side;
  return sampleDefinitions({
    orders: {
      tool: 'dlt',
      config: { enabled, codeVersion: version, ...(partitions === undefined ? {} : { partitions }) },
      assets: { dlt_orders: {} },
    },
  }).definitions;
}

/** Keys that were written under the definition before, by code version; `all`, or `''` for the whole. */
type Keys = Readonly<Record<string, 'all' | readonly string[]>>;

function writtenOf({ before, after }: ImpactCandidate, keys: Keys) {
  const old = (before ?? after)?.partitions ?? null;
  const own = Object.entries(keys).map(([codeVersion, some]): WrittenWith => {
    if (old === null) return { codeVersion, subset: { bounds: some.length === 0 ? [] : [0, 1] } };
    const subset = some === 'all' ? allPartitions(old, NOW) : subsetOfKeys(old, some, NOW).subset;
    return { codeVersion, subset };
  });
  const fresh = after?.partitions ?? null;
  return {
    before: before === null ? [] : own,
    after:
      after === null
        ? []
        : own.map((one) => ({ ...one, subset: translateSubset(old, fresh, one.subset).kept })),
  };
}

function impact(before: Definitions, after: Definitions, keys: Keys) {
  const candidates = impactCandidates(before, after);
  const byAsset = new Map(candidates.map((one) => [one.asset, one]));
  return partitionImpact(candidates, (asset) => writtenOf(byAsset.get(asset)!, keys), NOW);
}

function shown({ count, spans }: PartitionSpans): string {
  if (count === 0) return '-';
  return [String(count), ...spans.map(({ start, end }) => (start === end ? start : `${start}…${end}`))].join(
    ' ',
  );
}

function changed(more: Partial<TimeWindowPartitions>): Side {
  return { partitions: { ...daily, ...more } };
}

const D: Side = { partitions: DAILY };
const ALL: Keys = { v1: 'all' };
const B = 'elt backfill dlt_orders';

describe('what becomes of partitions (C5)', () => {
  // On 2026-01-20 at noon: days 01 … 19.
  it.each<[string, Side | null, Side | null, Keys, string, string, string, string | null]>([
    [
      'starts earlier',
      D,
      changed({ start: '2025-12-30' }),
      ALL,
      '2 2025-12-30…2025-12-31',
      '-',
      '-',
      `${B} --from 2025-12-30 --to 2025-12-31`,
    ],
    ['starts later', D, changed({ start: '2026-01-03' }), ALL, '-', '-', '2 2026-01-01…2026-01-02', null],
    ['ends', D, changed({ end: '2026-01-19' }), ALL, '-', '-', '1 2026-01-19', null],
    [
      'ends later',
      changed({ end: '2026-01-10' }),
      D,
      ALL,
      '10 2026-01-10…2026-01-19',
      '-',
      '-',
      `${B} --from 2026-01-10 --to 2026-01-19`,
    ],
    [
      'one more window',
      D,
      changed({ endOffset: 1 }),
      ALL,
      '1 2026-01-20',
      '-',
      '-',
      `${B} --from 2026-01-20 --to 2026-01-20`,
    ],
    ['another fmt', D, changed({ fmt: '%d.%m.%Y', start: '01.01.2026' }), ALL, '-', '-', '-', null],
    [
      'another zone',
      D,
      changed({ timezone: 'Europe/Berlin' }),
      ALL,
      '19 2026-01-01…2026-01-19',
      '-',
      '19 2026-01-01…2026-01-19',
      `${B} --from 2026-01-01 --to 2026-01-19`,
    ],
    [
      'weeks',
      D,
      { partitions: WEEKLY },
      ALL,
      '-',
      '2 2026-01-05…2026-01-12',
      '16 2026-01-01…2026-01-04 2026-01-06…2026-01-11 2026-01-13…2026-01-18',
      `${B} --from 2026-01-05 --to 2026-01-12`,
    ],
    [
      'hours',
      D,
      { partitions: HOURLY },
      ALL,
      '35 2026-01-19-01:00…2026-01-20-11:00',
      '1 2026-01-19-00:00',
      '18 2026-01-01…2026-01-18',
      `${B} --from 2026-01-19-00:00 --to 2026-01-20-11:00`,
    ],
    [
      'Sundays left out',
      D,
      changed({ exclusions: ['0 0 * * 0'] }),
      ALL,
      '-',
      '-',
      '3 2026-01-04 2026-01-11 2026-01-18',
      null,
    ],
    [
      'Sundays taken in',
      changed({ exclusions: ['0 0 * * 0'] }),
      D,
      ALL,
      '3 2026-01-04 2026-01-11 2026-01-18',
      '-',
      '-',
      `${B} --missing`,
    ],
    [
      'a key removed',
      { partitions: REGIONS },
      { partitions: { kind: 'static', keys: ['eu'] } },
      ALL,
      '-',
      '-',
      '1 us',
      null,
    ],
    [
      'a key added',
      { partitions: REGIONS },
      { partitions: { kind: 'static', keys: ['us', "o'hare", 'eu'] } },
      ALL,
      "1 o'hare",
      '-',
      '-',
      `${B} --from 'o'\\''hare' --to 'o'\\''hare'`,
    ],
    [
      'keys in another order',
      { partitions: REGIONS },
      { partitions: { kind: 'static', keys: ['eu', 'us'] } },
      ALL,
      '-',
      '-',
      '-',
      null,
    ],
    [
      'days to regions',
      D,
      { partitions: REGIONS },
      ALL,
      '2 us…eu',
      '-',
      '19 2026-01-01…2026-01-19',
      `${B} --from us --to eu`,
    ],
    [
      'regions to days',
      { partitions: REGIONS },
      D,
      ALL,
      '19 2026-01-01…2026-01-19',
      '-',
      '2 us…eu',
      `${B} --from 2026-01-01 --to 2026-01-19`,
    ],
    [
      'partitioned at last',
      {},
      D,
      ALL,
      '19 2026-01-01…2026-01-19',
      '-',
      '1',
      `${B} --from 2026-01-01 --to 2026-01-19`,
    ],
    [
      'not partitioned any more',
      D,
      {},
      ALL,
      '1',
      '-',
      '19 2026-01-01…2026-01-19',
      'elt materialize dlt_orders',
    ],
    [
      'a second dimension',
      D,
      { partitions: DAILY_BY_CATEGORY },
      ALL,
      '38 A|2026-01-01…A|2026-01-19 B|2026-01-01…B|2026-01-19',
      '-',
      '19 2026-01-01…2026-01-19',
      `${B} --from 'A|2026-01-01' --to 'B|2026-01-19'`,
    ],
    [
      'a category added',
      { partitions: DAILY_BY_CATEGORY },
      {
        partitions: {
          kind: 'multi',
          dimensions: { date: daily, category: { kind: 'static', keys: ['A', 'C', 'B'] } },
        },
      },
      ALL,
      '19 C|2026-01-01…C|2026-01-19',
      '-',
      '-',
      `${B} --from 'C|2026-01-01' --to 'C|2026-01-19'`,
    ],
    [
      'a new asset',
      null,
      D,
      {},
      '19 2026-01-01…2026-01-19',
      '-',
      '-',
      `${B} --from 2026-01-01 --to 2026-01-19`,
    ],
    ['a new asset without partitions', null, {}, {}, '1', '-', '-', 'elt materialize dlt_orders'],
    [
      'an asset that comes back',
      null,
      D,
      { v1: ['2026-01-02'] },
      '18 2026-01-01 2026-01-03…2026-01-19',
      '-',
      '-',
      `${B} --missing`,
    ],
    [
      'an asset that goes',
      D,
      null,
      { v1: ['2026-01-02', '2026-01-03'] },
      '-',
      '-',
      '2 2026-01-02…2026-01-03',
      null,
    ],
    [
      'a pipeline that is switched on',
      { ...D, enabled: false },
      D,
      {},
      '19 2026-01-01…2026-01-19',
      '-',
      '-',
      `${B} --from 2026-01-01 --to 2026-01-19`,
    ],
    ['a pipeline that is switched off', D, { ...D, enabled: false }, ALL, '-', '-', '-', null],
    [
      'other code',
      D,
      { ...D, version: 'v2' },
      { v1: ['2026-01-02', '2026-01-03'] },
      '-',
      '2 2026-01-02…2026-01-03',
      '-',
      `${B} --from 2026-01-02 --to 2026-01-03`,
    ],
    [
      'other code without partitions',
      {},
      { version: 'v2' },
      ALL,
      '-',
      '1',
      '-',
      'elt materialize dlt_orders',
    ],
    [
      'other code: what an older one wrote was stale before',
      D,
      { ...D, version: 'v3' },
      { v1: ['2026-01-02'], v2: [] },
      '-',
      '1 2026-01-02',
      '-',
      `${B} --from 2026-01-02 --to 2026-01-02`,
    ],
    [
      'the code of a while ago',
      { ...D, version: 'v2' },
      D,
      { v1: ['2026-01-02'], v2: ['2026-01-03', '2026-01-05'] },
      '-',
      '2 2026-01-03 2026-01-05',
      '-',
      `${B} --from 2026-01-03 --to 2026-01-03 && ${B} --from 2026-01-05 --to 2026-01-05`,
    ],
    [
      'other code and an earlier start',
      D,
      { partitions: { ...daily, start: '2025-12-31' }, version: 'v2' },
      { v1: ['2026-01-01', '2026-01-02'] },
      '1 2025-12-31',
      '2 2026-01-01…2026-01-02',
      '-',
      `${B} --from 2025-12-31 --to 2026-01-02`,
    ],
    [
      'what was missing before is not told again',
      D,
      changed({ start: '2025-12-31' }),
      { v1: [] },
      '1 2025-12-31',
      '-',
      '-',
      `${B} --from 2025-12-31 --to 2025-12-31`,
    ],
  ])('%s', (_, before, after, keys, missing, stale, orphaned, command) => {
    const found = impact(defs(before), defs(after), keys);
    const [one = null] = found;
    const nothing: PartitionSpans = { count: 0, spans: [] };
    expect(found.length).toBeLessThan(2);
    expect({
      missing: shown(one?.missing ?? nothing),
      stale: shown(one?.stale ?? nothing),
      orphaned: shown(one?.orphaned ?? nothing),
      command: one?.command ?? null,
    }).toEqual({ missing, stale, orphaned, command });
  });
});

describe('code that changed', () => {
  const written = (version: string, digest: string): Definitions => {
    const { definitions } = sampleDefinitions({
      orders: {
        tool: 'dlt',
        config: version === '' ? {} : { codeVersion: version },
        assets: { dlt_orders: {} },
      },
    });
    const node = definitions.assets.nodes.get('dlt_orders')!;
    const code = { ...node.code!, contentDigest: digest };
    const nodes = new Map([
      ['dlt_orders', { ...node, code, codeVersion: version === '' ? digest : version }],
    ]);
    return { ...definitions, assets: { ...definitions.assets, nodes } };
  };
  it.each([
    ['undeclared: other content', ['', 'a'], ['', 'b'], true],
    ['undeclared: the same content', ['', 'a'], ['', 'a'], false],
    ['declared: another version', ['1', 'a'], ['2', 'a'], true],
    ['declared: other content only', ['1', 'a'], ['1', 'b'], false],
    ['declared from now on', ['', 'a'], ['1', 'a'], false],
    ['declared from now on, with other content', ['', 'a'], ['1', 'b'], true],
    ['declared no more', ['1', 'a'], ['', 'a'], false],
  ] as const)('%s', (_, [oldVersion, oldDigest], [newVersion, newDigest], isStale) => {
    const before = written(oldVersion, oldDigest);
    const wrote = before.assets.nodes.get('dlt_orders')!.codeVersion;
    const found = impact(before, written(newVersion, newDigest), { [wrote]: 'all' });
    expect(found.map((one) => one.stale.count)).toEqual(isStale ? [1] : []);
  });
});

it('between equal definitions nothing is concerned, whatever was written', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<Side>({}, D, { partitions: REGIONS }, { partitions: DAILY_BY_CATEGORY }),
      (side) => {
        expect(impactCandidates(defs(side), defs(structuredClone(side)))).toEqual([]);
      },
    ),
  );
});

it('what one way orphans is not missing on the way back', () => {
  const side = fc.constantFrom<Side>(
    D,
    changed({ start: '2025-12-25' }),
    changed({ start: '2026-01-10' }),
    changed({ timezone: 'Asia/Kolkata' }),
    { partitions: WEEKLY },
    { partitions: HOURLY },
    { partitions: REGIONS },
    {},
  );
  fc.assert(
    fc.property(side, side, (a, b) => {
      const [there] = impact(defs(a), defs(b), ALL);
      const [back] = impact(defs(b), defs(a), ALL);
      // Everything was written on each side: what goes one way has to be loaded the other way, and besides it only what is
      // there already although its counterpart (the week, the day in progress) is not.
      const [gone, lacking] = [there?.orphaned.count ?? 0, back?.missing.count ?? 0];
      expect(gone).toBeLessThanOrEqual(lacking);
      expect(lacking - gone).toBeLessThanOrEqual(1);
    }),
  );
});

it('a list of many ranges is one command', () => {
  const keys = {
    v1: Array.from({ length: 15 }, (_, at) => `2026-01-${String(at + 1).padStart(2, '0')}`).filter(
      (_, at) => at % 2 === 0,
    ),
  };
  const [few] = impact(defs(D), defs({ ...D, version: 'v2' }), keys);
  expect(few!.command!.split(' && ')).toHaveLength(8);
  const start = { ...daily, start: '2025-11-01' };
  const odd = Array.from({ length: 30 }, (_, at) => `2025-11-${String(at + 1).padStart(2, '0')}`).filter(
    (_, at) => at % 2 === 0,
  );
  const [many] = impact(defs({ partitions: start }), defs({ partitions: start, version: 'v2' }), { v1: odd });
  expect(many!.command).toBe(`${B} --from 2025-11-01 --to 2025-11-29`);
});

it('takes no time for 100,000 partitions', () => {
  const hours: Side = {
    partitions: { ...daily, start: '2014-08-01-00:00', cron: '0 * * * *', fmt: '%Y-%m-%d-%H:%M' },
  };
  const [before, after] = [
    defs(hours),
    defs({
      partitions: { ...hours.partitions!, start: '2014-07-31-00:00' } as PartitionsDefinition,
      version: 'v2',
    }),
  ];
  const candidates = impactCandidates(before, after);
  const written = writtenOf(candidates[0]!, ALL);
  const at = performance.now();
  const [found] = partitionImpact(candidates, () => written, NOW);
  expect(performance.now() - at).toBeLessThan(100);
  expect(found!.stale.count).toBeGreaterThan(100_000);
  expect(found!.missing.count).toBe(24);
});

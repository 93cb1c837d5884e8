import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PartitionList } from '../../src/server/contract/asset.ts';
import { ansiSpans, stripAnsi } from '../../ui/src/lib/ansi.ts';
import { rangeAt, stretches } from '../../ui/src/lib/buckets.ts';
import { cronText } from '../../ui/src/lib/cron-text.ts';
import { bytes, count, duration, partitionText, relative } from '../../ui/src/lib/format.ts';
import { fuzzyScore } from '../../ui/src/lib/fuzzy.ts';
import { cellKey } from '../../ui/src/lib/partition-key.ts';
import { unpacked } from '../../ui/src/lib/partition-states.ts';
import { safeHref } from '../../ui/src/lib/safe-href.ts';
import { selectionOf } from '../../ui/src/lib/selection.ts';
import { sseParser } from '../../ui/src/live/sse-parser.ts';
import { partitionRequests } from '../../ui/src/pages/assets/launch-plan.ts';
import { around, graphOf } from '../../ui/src/pages/lineage/graph.ts';

const HOUR = 3_600_000;

describe('texts for people', () => {
  it.each([
    [0.42, '0.4s'],
    [9.96, '10.0s'],
    [59.4, '59s'],
    [79, '1m 19s'],
    [3_600, '1h 00m'],
    [7_500, '2h 05m'],
    [90_061, '1d 1h'],
    [-3, '0s'],
  ])('%d seconds are %s', (seconds, text) => expect(duration(seconds)).toBe(text));

  it.each([
    [5_000, 'just now'],
    [-5_000, 'in a moment'],
    [45_000, '45 s ago'],
    [240_000, '4 min ago'],
    [-2 * HOUR, 'in 2 h'],
    [72 * HOUR, '3 d ago'],
    [31 * 24 * HOUR, '2026-10-21'],
  ])('%d milliseconds ago is %s', (ago, text) => {
    const now = Date.parse('2026-11-21T12:00:00.000Z');
    expect(relative(now - ago, now)).toBe(text);
  });

  it.each([
    [1_204, '1,204'],
    [12_400, '12.4 k'],
    [3_100_000, '3.1 M'],
    [0.5, '0.5'],
  ])('%d is %s', (value, text) => expect(count(value)).toBe(text));

  it.each([
    [999, '999 B'],
    [142_000, '142 kB'],
    [4_812_800, '4.8 MB'],
  ])('%d bytes are %s', (value, text) => expect(bytes(value)).toBe(text));

  it.each([
    ['0 2 * * *', 'daily at 02:00'],
    ['*/15 * * * *', 'every 15 minutes'],
    ['0 */4 * * *', 'every 4 hours'],
    ['30 * * * *', 'hourly at :30'],
    ['0 7 * * 1-5', 'Monday to Friday at 07:00'],
    ['0 12 * * 6', 'Saturdays at 12:00'],
    ['0 0 1 * *', 'monthly on day 1 at 00:00'],
    ['@daily', 'daily at 00:00'],
    ['* * * * *', 'every minute'],
    ['0 0 1 1 *', null],
    ['5-10 * * * *', null],
    ['0 0 * *', null],
  ])('cron %s is %s', (cron, text) => expect(cronText(cron)).toBe(text));

  it('names partitions', () => {
    expect(partitionText({ kind: 'none' })).toBeNull();
    expect(partitionText({ kind: 'range', start: 'a', end: 'b' })).toBe('a … b');
    expect(partitionText({ kind: 'keys', keys: ['a', 'b'] })).toBe('2 partitions');
  });
});

describe('texts of strangers', () => {
  it.each([
    ['https://git.example/x', 'https://git.example/x'],
    ['mailto:a@b.example', 'mailto:a@b.example'],
    ['javascript:alert(1)', null],
    [' javascript:alert(1)', null],
    ['JaVaScRiPt:alert(1)', null],
    ['data:text/html,x', null],
    ['vbscript:x', null],
    ['not an address', null],
    ['', null],
  ])('%s may be followed as %s', (text, href) => expect(safeHref(text)).toBe(href));

  it('turns colour codes into classes and drops every other control sequence', () => {
    expect(ansiSpans('a\u001b[1;31mb\u001b[0mc')).toEqual([
      { text: 'a', className: '' },
      { text: 'b', className: 'ansi-red ansi-bold' },
      { text: 'c', className: '' },
    ]);
    expect(ansiSpans('\u001b[38;5;2mx\u001b[38;2;9;9;9my')).toEqual([
      { text: 'x', className: 'ansi-green' },
      { text: 'y', className: 'ansi-green' },
    ]);
    expect(stripAnsi('\u001b]8;;http://x\u0007link\u001b]8;;\u0007 \u001b[2K\u001b[1Adone')).toBe(
      'link done',
    );
  });

  it('loses no text of a line', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(fc.constant('\u001b[31m'), fc.constant('\u001b[0m'), fc.stringMatching(/^[ -~]*$/)),
        ),
        (parts) => {
          const line = parts.join('');
          expect(
            ansiSpans(line)
              .map(({ text }) => text)
              .join(''),
          ).toBe(stripAnsi(line));
        },
      ),
    );
  });
});

describe('the event stream', () => {
  const stream =
    ': hello\n\nid: 7\nevent: change\ndata: {"a":\ndata: 1}\n\r\nevent: reset\ndata: {}\n\nid: 9\n\n';

  it('is read the same in any pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length)), (cuts) => {
        const parse = sseParser();
        const ends = [...new Set([...cuts, stream.length])].sort((a, b) => a - b);
        const messages = ends.flatMap((end, index) => parse(stream.slice(ends[index - 1] ?? 0, end)));
        expect(messages).toEqual([
          { event: 'change', id: '7', data: '{"a":\n1}' },
          { event: 'reset', id: null, data: '{}' },
        ]);
      }),
    );
  });
});

describe('finding', () => {
  it.each([
    ['isue', 'github/issues'],
    ['iss', 'github/issues'],
    ['git iss', 'github/issues'],
  ])('%s finds %s', (typed, text) => expect(fuzzyScore(typed, text)).not.toBeNull());
  it.each([
    ['xyz', 'github/issues'],
    ['issues orders', 'github/issues'],
    ['gs', 'github/issues'],
  ])('%s does not find %s', (typed, text) => expect(fuzzyScore(typed, text)).toBeNull());
  it('prefers what begins with it', () => {
    expect(fuzzyScore('orders', 'orders')!).toBeGreaterThan(
      fuzzyScore('orders', 'daily_reorders_of_the_shop')!,
    );
  });

  it('selects exactly the keys that were chosen', () => {
    expect(selectionOf(['a/b', 'x y'])).toBe('key:a/b or key:"x y"');
  });
});

describe('partitions', () => {
  const ranges = (states: readonly PartitionList['ranges'][number]['status'][]): PartitionList['ranges'] =>
    states.map((status, at) => ({ from: at, to: at, from_key: String(at), to_key: String(at), status }));

  it('never hides a failure among many', () => {
    const states = Array.from({ length: 10_000 }, (_, at) =>
      at === 5_000 ? ('failed' as const) : at % 2 === 0 ? ('materialized' as const) : ('missing' as const),
    );
    const drawn = stretches(ranges(states), states.length, 500, [
      'failed',
      'in_progress',
      'missing',
      'materialized',
    ]);
    expect(drawn.length).toBeLessThanOrEqual(500);
    expect(drawn.filter(({ status }) => status === 'failed')).toEqual([
      { status: 'failed', from: 0.5, to: 0.502 },
    ]);
    expect(drawn[0]!.from).toBe(0);
    expect(drawn.at(-1)!.to).toBe(1);
  });

  it('finds the range of each ordinal', () => {
    const some: PartitionList['ranges'] = [
      { from: 0, to: 9, from_key: 'a', to_key: 'j', status: 'missing' },
      { from: 10, to: 10, from_key: 'k', to_key: 'k', status: 'failed' },
    ];
    expect([0, 9, 10, 11].map((at) => rangeAt(some, at)?.status)).toEqual([
      'missing',
      'missing',
      'failed',
      undefined,
    ]);
  });

  it('orders the parts of a key by the names of their dimensions', () => {
    const matrix = {
      rows: { name: 'region', keys: ['us'] },
      columns: { name: 'date', keys: ['2026-01-01'] },
      cells: ['m'],
    };
    expect(cellKey(matrix, 0, 0)).toBe('2026-01-01|us');
    expect(cellKey({ ...matrix, rows: { ...matrix.rows, name: 'category' } }, 0, 0)).toBe('us|2026-01-01');
  });

  it('writes out what the service packed, two bits a partition', () => {
    const info = { counts: { total: 6 } } as PartitionList['info'];
    // materialized, materialized, failed, missing | missing, in progress
    const states = btoa(String.fromCharCode(0b00_10_01_01, 0b11_00));
    const line = unpacked({ info, ranges: [], matrix: null, states });
    expect(line.ranges.map(({ from, to, status }) => [from, to, status])).toEqual([
      [0, 1, 'materialized'],
      [2, 2, 'failed'],
      [3, 4, 'missing'],
      [5, 5, 'in_progress'],
    ]);
    const matrix = {
      rows: { name: 'a', keys: ['x', 'y'] },
      columns: { name: 'b', keys: ['1', '2', '3'] },
      cells: [],
    };
    expect(unpacked({ info, ranges: [], matrix, states }).matrix?.cells).toEqual(['mmf', '..i']);
    // Its keys are not known: only a backfill can take what is missing of it.
    expect(
      partitionRequests('missing', { keys: [], range: { start: '', end: '' }, list: line }),
    ).toMatchObject({
      requests: [],
      backfill: 'missing',
    });
  });

  it('asks for the missing ones alone, stretches as ranges', () => {
    const list: PartitionList = {
      info: {
        type: 'time',
        dimensions: [],
        first_key: '0',
        last_key: '9',
        counts: { total: 10, materialized: 6, failed: 0, in_progress: 0, missing: 4 },
      },
      ranges: [
        { from: 0, to: 0, from_key: '0', to_key: '0', status: 'missing' },
        { from: 1, to: 6, from_key: '1', to_key: '6', status: 'materialized' },
        { from: 7, to: 9, from_key: '7', to_key: '9', status: 'missing' },
      ],
      matrix: null,
      states: null,
    };
    const given = { keys: [], range: { start: '', end: '' }, list };
    expect(partitionRequests('missing', given)).toEqual({
      requests: [{ partitions: ['0'] }, { range: { start: '7', end: '9' } }],
      text: '4 partitions missing',
    });
    expect(partitionRequests('range', given).requests).toEqual([]);
    expect(partitionRequests('latest', given).requests).toEqual([{ partition: 'latest' }]);
  });
});

describe('lineage', () => {
  const node = (key: string, group: string) => ({
    key,
    kind: 'materializable' as const,
    group,
    tool: null,
    kinds: [],
    state: 'never' as const,
    enabled: true,
    held: false,
  });
  const lineage = {
    nodes: [node('a', 'x'), node('b', 'x'), node('c', 'y'), node('d', 'y')],
    edges: [
      { from: 'a', to: 'b' },
      { from: 'b', to: 'c' },
      { from: 'a', to: 'c' },
      { from: 'c', to: 'd' },
    ],
  };

  it('joins a closed group into one box, without edges to itself or twice', () => {
    const graph = graphOf(lineage, (group) => group === 'y');
    expect(graph.nodes.map(({ id }) => id)).toEqual(['group\u0000x', 'c', 'd']);
    expect(graph.edges).toEqual([
      ['group\u0000x', 'c'],
      ['c', 'd'],
    ]);
  });

  it('takes what lies so many steps away', () => {
    expect(around(lineage, 'c', 1, 1).nodes.map(({ key }) => key)).toEqual(['a', 'b', 'c', 'd']);
    expect(around(lineage, 'd', 1, 1).nodes.map(({ key }) => key)).toEqual(['c', 'd']);
  });
});

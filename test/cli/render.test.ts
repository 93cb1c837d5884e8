import { describe, expect, it } from 'vitest';
import { wantsColor } from '../../src/cli/context.ts';
import { bytes, duration, inZone, relative } from '../../src/cli/format.ts';
import { pairs, printable, statusPaint, statusText, table } from '../../src/cli/render.ts';
import { readEvents } from '../../src/cli/server-sent-events.ts';

const COLUMNS = [
  { title: 'NAME', value: (row: string[]) => row[0]!, shrink: true },
  { title: 'N', value: (row: string[]) => row[1]!, align: 'right' as const },
  { title: 'EMPTY', value: () => '' },
];

describe('tables', () => {
  it('aligns columns and leaves out those without a value', () => {
    const text = table(
      COLUMNS,
      [
        ['a', '5'],
        ['bbb', '1234'],
      ],
      { width: null, color: false },
    );
    expect(text).toBe('NAME     N\na        5\nbbb   1234');
  });

  it('cuts what may shrink with … on a terminal, and nothing in a pipe', () => {
    const rows = [['a-very-long-name-of-an-asset', '12345']];
    expect(table(COLUMNS, rows, { width: 20, color: false })).toBe(
      'NAME               N\na-very-long-…  12345',
    );
    expect(table(COLUMNS, rows, { width: null, color: false })).toContain(rows[0]![0]);
  });

  it('counts wide letters twice and cuts no emoji in two', () => {
    const rows = [['日本語の資産🎉🎉🎉🎉🎉🎉', '1']];
    expect(table(COLUMNS, rows, { width: 20, color: false }).split('\n')[1]).toBe('日本語の資産🎉🎉…  1');
  });

  it('lets no control character of a user reach the terminal', () => {
    const hostile = 'a\u001b[31mb\u0007\u202ec\r\nd';
    for (const char of ['\u001b', '\u0007', '\u202e', '\r']) expect(printable(hostile)).not.toContain(char);
    expect(table(COLUMNS, [[hostile, '1']], { width: null, color: false }).split('\n')).toHaveLength(2);
    expect(printable('tab\tand ümläut – ok')).toBe('tab\tand ümläut – ok');
  });

  it('shows pairs without those that are empty', () => {
    expect(
      pairs(
        [
          ['a', '1'],
          ['none', ''],
          ['long', '2\n3'],
        ],
        false,
      ),
    ).toBe('a     1\nlong  2\n      3');
  });

  it('says a status by a sign and a word, the colour only adds', () => {
    expect([statusText('FAILURE'), statusPaint('FAILURE')]).toEqual(['✗ FAILURE', 'red']);
    expect(
      table([{ title: 'S', value: () => statusText('FAILURE'), paint: () => 'red' as const }], [['']], {
        width: null,
        color: true,
      }),
    ).toContain('\u001b[31m✗ FAILURE\u001b[39m');
  });
});

describe('colours', () => {
  it.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [true, { TERM: 'dumb' }, false],
    [false, { FORCE_COLOR: '1' }, true],
    [true, { FORCE_COLOR: '1', NO_COLOR: '1' }, true],
  ])('terminal %s, %j → %s', (terminal, env, expected) => {
    expect(wantsColor(terminal, env)).toBe(expected);
  });
});

describe('formats', () => {
  it.each([
    [0.04, '0.0s'],
    [9.94, '9.9s'],
    [59.4, '59s'],
    [79, '1m 19s'],
    [3599.9, '1h 0m'],
    [7500, '2h 5m'],
    [86_399, '1d 0h'],
    [273_600, '3d 4h'],
  ])('%f seconds are %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });

  it.each([
    [0, 'just now'],
    [-30_000, 'in 30s'],
    [180_000, '3m ago'],
    [-4 * 3_600_000, 'in 4h'],
    [72 * 3_600_000, '3d ago'],
  ])('%i ms before are %s', (ms, text) => {
    const now = Date.UTC(2026, 0, 2);
    expect(relative(new Date(now - ms).toISOString(), now)).toBe(text);
  });

  it('shows sizes and instants as people read them', () => {
    expect([bytes(999), bytes(145_376), bytes(2e9)]).toEqual(['999 B', '145.4 kB', '2.0 GB']);
    expect(inZone('2026-07-01T22:00:00.000Z', 'Europe/Berlin')).toBe('2026-07-02 00:00 Europe/Berlin');
  });
});

describe('server-sent events', () => {
  it('are read whatever pieces they come in', async () => {
    const text =
      ': hi\n\nid: 3\n\nretry: 10\nid: 4\nevent: change\ndata: {"a":\ndata: "ü"}\n\ndata:x\n\nevent: cut';
    const bytesOf = Buffer.from(text);
    async function* pieces(size: number) {
      for (let at = 0; at < bytesOf.length; at += size) yield bytesOf.subarray(at, at + size);
    }
    for (const size of [1, 2, 7, 1000]) {
      const events = [];
      for await (const event of readEvents(pieces(size))) events.push(event);
      expect(events).toEqual([
        { id: '4', event: 'change', data: '{"a":\n"ü"}' },
        { id: null, event: 'message', data: 'x' },
      ]);
    }
  });
});

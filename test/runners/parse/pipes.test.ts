import { describe, expect, it } from 'vitest';
import { isPipesMessage, parsePipesMessage } from '../../../src/runners/parse/pipes.ts';

const message = (method: string, params: unknown) => ({ __dagster_pipes_version: '0.1', method, params });

describe('Dagster Pipes', () => {
  it.each<[string, unknown, unknown]>([
    ['opened', { extras: {} }, { kind: 'opened' }],
    ['closed', {}, { kind: 'closed', exception: null }],
    [
      'closed',
      {
        exception: { message: 'no\n', name: 'ValueError', stack: ['a\n', 'b\n'], cause: null, context: null },
      },
      { kind: 'closed', exception: { name: 'ValueError', message: 'no\n', stack: 'a\nb\n' } },
    ],
    [
      'log',
      { message: 'hi', level: 'WARNING' },
      { kind: 'event', event: { type: 'log', level: 'warning', message: 'hi' } },
    ],
    [
      'log',
      { message: 'hi', level: 'odd' },
      { kind: 'event', event: { type: 'log', level: 'info', message: 'hi' } },
    ],
    [
      'report_asset_materialization',
      {
        asset_key: 'shop/orders',
        data_version: 'v1',
        metadata: {
          'dagster/row_count': { raw_value: 7, type: 'int' },
          file: { raw_value: 'a.csv', type: 'path' },
          list: { raw_value: [1, 2], type: 'json' },
          nothing: { raw_value: null, type: 'null' },
        },
      },
      {
        kind: 'event',
        event: {
          type: 'materialization',
          asset_key: 'shop/orders',
          data_version: 'v1',
          metadata: { 'dagster/row_count': 7, rows: 7, file: 'a.csv', list: [1, 2], nothing: null },
        },
      },
    ],
    [
      'report_asset_materialization',
      { asset_key: 'a', data_version: null, metadata: null },
      { kind: 'event', event: { type: 'materialization', asset_key: 'a', metadata: {} } },
    ],
    [
      'report_asset_check',
      { asset_key: 'a', check_name: 'c', passed: false, severity: 'WARN', metadata: {} },
      {
        kind: 'event',
        event: {
          type: 'check',
          asset_key: 'a',
          check_name: 'c',
          passed: false,
          severity: 'WARN',
          metadata: {},
        },
      },
    ],
    [
      'report_custom_message',
      { payload: { x: 1 } },
      { kind: 'other', payload: { type: 'custom', payload: { x: 1 } } },
    ],
  ])('%s', (method, params, expected) => {
    expect(parsePipesMessage(message(method, params))).toEqual(expected);
  });

  it.each([
    message('report_asset_materialization', {}),
    message('report_asset_check', { asset_key: 'a' }),
    message('log', { level: 'INFO' }),
    message('of_tomorrow', { a: 1 }),
    message('closed_wrongly', null),
  ])('keeps what it does not understand: %j', (odd) => {
    expect(parsePipesMessage(odd)).toEqual({ kind: 'other', payload: odd });
  });

  it('knows its own messages', () => {
    expect(isPipesMessage(message('log', {}))).toBe(true);
    expect(isPipesMessage({ type: 'log' })).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import { selectAssets, selectToRun } from '../../src/definitions/selection.ts';
import { sampleDefinitions } from '../helpers/sample-definitions.ts';

const { definitions } = sampleDefinitions({
  dlt_orders: {
    tool: 'dlt',
    config: { group: 'github', tags: { team: 'x' }, owners: ['team:data'] },
    assets: { dlt_orders: {} },
  },
  dlt_catalog: {
    tool: 'dlt',
    config: { group: 'shop', tags: { team: 'y' } },
    assets: { 'dlt_catalog/products': {}, 'dlt_catalog/stores': {} },
  },
  dbt_models: {
    tool: 'dbt',
    config: { group: 'marts' },
    assets: { staging: { deps: ['dlt_orders'] }, mart: { deps: ['staging', 'dlt_catalog/products'] } },
  },
  python_report: {
    config: { group: 'marts', enabled: false },
    assets: { report: { deps: ['mart', 'outside'] } },
  },
});

function select(text: string): string[] | string {
  const result = selectAssets(definitions.assets, text);
  return result.ok
    ? [...result.keys].sort()
    : `${result.code}: ${result.message}${result.hint === undefined ? '' : ` | ${result.hint}`}`;
}

describe('selectAssets', () => {
  it.each([
    ['dlt_orders', ['dlt_orders']],
    ['dlt_catalog', ['dlt_catalog/products', 'dlt_catalog/stores']],
    ['dbt_models', ['mart', 'staging']],
    ['key:dlt_*', ['dlt_catalog/products', 'dlt_catalog/stores', 'dlt_orders']],
    ['group:marts', ['mart', 'report', 'staging']],
    ['tag:team=x', ['dlt_orders']],
    ['tag:team', ['dlt_catalog/products', 'dlt_catalog/stores', 'dlt_orders']],
    ['owner:"team:data"', ['dlt_orders']],
    ['tool:dbt and not mart', ['staging']],
    ['+staging', ['dlt_orders', 'staging']],
    ['1+mart', ['dlt_catalog/products', 'mart', 'staging']],
    ['dlt_orders+', ['dlt_orders', 'mart', 'report', 'staging']],
    ['dlt_orders+1', ['dlt_orders', 'staging']],
    ['+staging+1', ['dlt_orders', 'mart', 'staging']],
    ['(dlt_orders or staging) and not tool:dlt', ['staging']],
    ['dlt_orders, mart', ['dlt_orders', 'mart']],
    ['*', ['dlt_catalog/products', 'dlt_catalog/stores', 'dlt_orders', 'mart', 'report', 'staging']],
  ])('%s', (text, keys) => expect(select(text)).toEqual(keys));

  it.each([
    ['', 'SELECTION_INVALID: the selection is empty | use "*" for every asset'],
    ['gruop:x', 'SELECTION_INVALID: "gruop:" is not an attribute | did you mean "group:"?'],
    ['(a', 'SELECTION_INVALID: a parenthesis is not closed'],
    ['a and', 'SELECTION_INVALID: the selection ends too early'],
    ['a b', 'SELECTION_INVALID: unexpected "b"'],
    ['dlt_ordres', 'SELECTION_EMPTY: no asset matches "dlt_ordres" | did you mean dlt_orders?'],
    [
      'outside',
      'SELECTION_EMPTY: no asset matches "outside" | elt list shows every asset, elt status what is broken',
    ],
  ])('refuses %j with its reason', (text, message) => expect(select(text)).toBe(message));
});

describe('selectToRun', () => {
  it.each([
    ['dlt_orders or dlt_catalog', null],
    ['group:nothing or dlt_orders', null],
    ['dlt_orders and not dlt_ordrs', null],
    ['key:no* or dlt_orders', null],
    ['dlt_orders or dlt_catalogue', 'no asset is called "dlt_catalogue" | did you mean dlt_catalog'],
    ['dlt_orders, +nothing_like_it', 'no asset is called "nothing_like_it" | elt list shows'],
  ])('%s', (text, refused) => {
    const result = selectToRun(definitions.assets, text);
    if (refused === null) expect(result).toEqual(selectAssets(definitions.assets, text));
    else if (result.ok) expect.fail(`${text} was not refused`);
    else expect(`${result.message} | ${result.hint}`).toContain(refused);
  });
});

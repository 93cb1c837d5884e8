import { expect, it } from 'vitest';
import { lineageFilter } from '../../ui/src/pages/lineage/status-terms.ts';

it.each([
  ['', '', [], []],
  ['group:marts+', 'group:marts+', [], []],
  ['group:marts+ status:failed', 'group:marts+', ['failed'], []],
  ['status:failed,partly and tag:team=x', 'tag:team=x', ['failed', 'partly'], []],
  ['orders and status:failed', 'orders', ['failed'], []],
  ['status:FAILED', '', ['failed'], []],
  ['status:broken', '', [], ['broken']],
])('%s', (text, selection, states, unknown) => {
  expect(lineageFilter(text)).toEqual({ selection, states, unknown });
});

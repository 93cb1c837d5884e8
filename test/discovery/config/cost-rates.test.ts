import { expect, it } from 'vitest';
import { discover, linesOf } from '../../helpers/discover.ts';

const PIPELINE = { 'pipelines/orders/pipeline.py': 'def run(): pass' };

it.each([
  [
    'insights: {cost: {currency: EUR, compute_hour: 0.25, gigabyte: 0.02, million_rows: 1}}',
    { currency: 'EUR', computeHour: 0.25, gigabyte: 0.02, millionRows: 1 },
  ],
  [
    'insights:\n  cost:\n    compute_hour: 2\n',
    { currency: 'USD', computeHour: 2, gigabyte: 0, millionRows: 0 },
  ],
  ['insights: {}', undefined],
  ['', undefined],
])('%s', async (yaml, rates) => {
  const output = await discover({ ...PIPELINE, 'dagster.yaml': yaml });
  expect(linesOf(output)).toEqual([]);
  expect(output.instance?.costRates).toEqual(rates);
});

it.each([
  ['insights: {cost: {compute_hour: -1}}', /1:33 error CONFIG_RANGE|1:33 error/],
  ['insights: {cost: {compute_hour: cheap}}', /1:33 error/],
  ['insights: {cost: {compute_hours: 1}}', /1:19 error CONFIG_UNKNOWN_KEY .*compute_hour/],
  ['insights: {cost: {currency: EUR}}', /warning CONFIG_VALUE no rate is above 0/],
])('%s is told of', async (yaml, told) => {
  const output = await discover({ ...PIPELINE, 'dagster.yaml': yaml });
  expect(linesOf(output).join('\n')).toMatch(told);
});

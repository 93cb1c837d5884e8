import { expect, it } from 'vitest';
import { findPipeline } from '../../src/definitions/find-pipeline.ts';
import type { Tool } from '../../src/discovery/pipeline-config.ts';
import { pipelineConfig } from '../helpers/pipeline-config.ts';
import { sampleDefinitions } from '../helpers/sample-definitions.ts';

const DLT = {
  script: 'pipeline.py',
  sourceArgs: {},
  resources: [],
  assetPer: 'pipeline',
  incremental: {},
} as const;
const { definitions } = sampleDefinitions({
  dlt_orders: {
    tool: 'dlt',
    config: { dlt: { ...DLT, sourceName: 'shop_source', pipelineName: 'shop' } },
    assets: { dlt_orders: {} },
  },
  dlt_files: { tool: 'dlt', config: { dlt: { ...DLT, sourceName: 'twice' } }, assets: { dlt_files: {} } },
  sling_files: { tool: 'sling', assets: { sling_files: {} } },
  dlt_copies: { tool: 'dlt', config: { dlt: { ...DLT, sourceName: 'twice' } }, assets: { dlt_copies: {} } },
  report: { assets: { report: {} } },
});

it.each([
  ['dlt_orders', ['dlt'], 'dlt_orders'],
  ['main/dlt_orders', ['dlt'], 'dlt_orders'],
  ['shop_source', ['dlt'], 'dlt_orders'],
  ['shop', ['dlt'], 'dlt_orders'],
  ['sling_files', ['dlt', 'sling'], 'sling_files'],
] as [string, Tool[], string][])('%s of %j is %s', (name, tools, expected) => {
  const found = findPipeline(definitions, name, tools);
  expect(found.ok && found.pipeline.name).toBe(expected);
  expect(found.ok && found.component).toBe('main');
});

it('takes the name of the folder', () => {
  const orders = definitions.pipelines.get('main/dlt_orders')!;
  const code = { ...orders.code, dir: 'pipelines/dlt/orders' };
  const pipelines = new Map([
    ['main/dlt_orders', { ...orders, code, config: pipelineConfig('dlt', 'dlt_orders') }],
  ]);
  const found = findPipeline({ ...definitions, pipelines }, 'orders', ['dlt']);
  expect(found.ok && found.pipeline.name).toBe('dlt_orders');
});

it.each([
  ['dlt_ordrs', ['dlt'], 'PIPELINE_NOT_FOUND', /no dlt pipeline "dlt_ordrs"/, 'did you mean dlt_orders?'],
  ['shop_sorce', ['dlt'], 'PIPELINE_NOT_FOUND', /"shop_sorce"/, 'did you mean dlt_orders?'],
  ['zzzzzzzzzz', ['sling'], 'PIPELINE_NOT_FOUND', /no sling pipeline/, 'there are sling_files'],
  [
    'twice',
    ['dlt'],
    'REQUEST_INVALID',
    /can be main\/dlt_files or main\/dlt_copies/,
    'name one of them whole',
  ],
  [
    'report',
    ['dlt', 'sling'],
    'REQUEST_INVALID',
    /report is a python pipeline; this is for dlt and sling/,
    /^there are /,
  ],
] as [string, Tool[], string, RegExp, string | RegExp][])(
  'refuses %s of %j with %s',
  (name, tools, code, message, hint) => {
    const found = findPipeline(definitions, name, tools);
    expect(found).toMatchObject({ ok: false, code, message: expect.stringMatching(message) });
    if (!found.ok) expect(found.hint).toMatch(hint);
  },
);

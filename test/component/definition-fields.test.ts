import { expect, it } from 'vitest';
import { definitionFields } from '../../src/component/definition-fields.ts';
import { pipelineConfig } from '../helpers/pipeline-config.ts';

const TEXT = `# what it is
group_name: sales
retries: 3
tags:
  a.b: yes
schedule:
  enabled: true
  cron_schedule: "0 2 * * *"
  execution_timezone: Europe/Vienna
env:
  TOKEN: "\${SHOP_TOKEN}"
  PASSWORD: hunter2
`;

const CONFIG = pipelineConfig('python', 'shop', {
  group: 'sales',
  retryPolicy: { maxRetries: 3, delay: 60, backoff: 'EXPONENTIAL', jitter: 'PLUS_MINUS' },
  tags: { 'a.b': 'yes', elt_type: 'python' },
  env: { TOKEN: '${SHOP_TOKEN}', PASSWORD: 'hunter2' },
  schedule: {
    cron: ['0 2 * * *'],
    timezone: 'Europe/Vienna',
    defaultStatus: 'RUNNING',
    catchUp: 'latest',
    overlap: 'skip',
    jitterSeconds: 0,
  },
});

it('gives each setting as it counts with the line that says it, what nobody wrote last', () => {
  const fields = definitionFields(TEXT, CONFIG);
  const written = fields.filter(({ line }) => line !== null);
  expect(written.map(({ path, value, line }) => [line, path, value])).toEqual([
    [2, 'group', 'sales'],
    [3, 'retry_policy.max_retries', 3],
    [5, 'tags.a.b', 'yes'],
    [8, 'schedule.cron_schedule', '0 2 * * *'],
    [9, 'schedule.timezone', 'Europe/Vienna'],
    [11, 'env.TOKEN', 'from SHOP_TOKEN'],
    [12, 'env.PASSWORD', 'a text of its own'],
  ]);
  expect(fields.slice(written.length).map(({ path }) => path)).toEqual(
    expect.arrayContaining(['tags.elt_type', 'schedule.overlap', 'retry_policy.delay', 'enabled']),
  );
  expect(JSON.stringify(fields)).not.toContain('hunter2');
});

it('has only defaults where there is no file, or none that can be read', () => {
  for (const text of [null, 'group: [', ''])
    expect(definitionFields(text, CONFIG).every(({ line }) => line === null)).toBe(true);
});

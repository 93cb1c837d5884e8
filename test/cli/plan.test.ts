import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { planText } from '../../src/cli/plan-text.ts';
import type { Plan } from '../../src/server/contract/plan.ts';

const NOTHING = { count: 0, spans: [] };
const PLAN: Plan = {
  component: 'shop',
  from: { commit: 'a'.repeat(40), revision_id: 3, label: 'revision 3', url: null },
  to: { commit: 'b'.repeat(40), revision_id: null, label: 'feature', url: null },
  has_changes: true,
  changes: [
    change('pipeline', 'dlt_orders', 'changed', [
      { field: 'partitions.time.start', from: '2024-01-01', to: '2023-01-01', files: [] },
      { field: 'timeout', from: null, to: '600s', files: [] },
      { field: 'code', from: 'a', to: 'b', files: ['~ pipeline.py', '+ util.py'] },
    ]),
    change('pipeline', 'dlt_new', 'added', []),
    change('pipeline', 'dlt_old', 'removed', []),
    change('asset', 'dlt_new', 'added', [], 'dlt_new'),
    change('asset', 'dlt_old', 'removed', [], 'dlt_old'),
    change(
      'schedule',
      'dlt_orders_schedule',
      'changed',
      [{ field: 'schedule.cron_schedule', from: '0 2 * * *', to: '0 4 * * *', files: [] }],
      'dlt_orders',
    ),
    {
      ...change(
        'instance',
        '',
        'changed',
        [{ field: 'concurrency.pools.duckdb', from: null, to: { limit: 1 }, files: [] }],
        'x',
      ),
      pipeline: null,
    },
  ],
  ticks: {
    from: '2026-03-24T12:00:00.000Z',
    to: '2026-03-31T12:00:00.000Z',
    schedules: [
      {
        schedule: 'dlt_orders_schedule',
        before: {
          count: 7,
          first: ['2026-03-25T01:00:00.000Z', '2026-03-26T01:00:00.000Z', '2026-03-27T01:00:00.000Z'],
          timezone: 'Europe/Berlin',
        },
        after: { count: 0, first: [], timezone: 'Europe/Berlin' },
        note: 'stops',
      },
    ],
  },
  impact: [
    {
      asset: 'dlt_orders',
      missing: { count: 365, spans: [{ start: '2023-01-01', end: '2023-12-31', count: 365 }] },
      stale: { count: 4, spans: ['a', 'b', 'c', 'd'].map((key) => ({ start: key, end: key, count: 1 })) },
      orphaned: { count: 1, spans: [] },
      command: 'elt backfill dlt_orders --from 2023-01-01 --to 2023-12-31',
    },
  ],
  diagnostics: [
    {
      code: 'SCHEDULE_CRON_INVALID',
      severity: 'error',
      message: 'bad \u001b[31mcron',
      file: 'pipelines/dlt/bad/dagster.yaml',
      line: 3,
      column: 18,
      hint: 'write five fields',
      path: null,
      pipeline: 'dlt_bad',
      component: 'shop',
      excerpt: [],
      url: null,
    },
  ],
  held: ['dlt_bad'],
  notes: ['the assets of dlt_new are known after merge'],
};

function change(
  kind: Plan['changes'][number]['kind'],
  key: string,
  what: Plan['changes'][number]['change'],
  fields: Plan['changes'][number]['fields'],
  pipeline = key,
): Plan['changes'][number] {
  return {
    kind,
    key,
    change: what,
    fields,
    pipeline,
    file: kind === 'pipeline' ? `pipelines/dlt/${key}` : null,
    url: null,
  };
}

describe('a plan as text', () => {
  it('reads from what changes to what to do', () => {
    expect(planText(PLAN, false)).toBe(`Plan of shop: aaaaaaa → feature (bbbbbbb)

~ dlt_orders  pipelines/dlt/dlt_orders
    partitions.time.start: "2024-01-01" → "2023-01-01"
    timeout: none → "600s"
    other code: ~ pipeline.py, + util.py
    ~ schedule dlt_orders_schedule
        schedule.cron_schedule: "0 2 * * *" → "0 4 * * *"
+ dlt_new  pipelines/dlt/dlt_new
    + asset dlt_new
- dlt_old  pipelines/dlt/dlt_old
    - asset dlt_old
~ the instance
    concurrency.pools.duckdb: none → {"limit":1}

Ticks of the next 7 days
  dlt_orders_schedule  stops
    - 7: Wed 2026-03-25 02:00, Thu 2026-03-26 02:00, … Europe/Berlin
    + 0

Partitions
  dlt_orders
    365 missing: 2023-01-01 … 2023-12-31
    4 stale: a, b, c and 1 more
    1 orphaned, their history is kept
    $ elt backfill dlt_orders --from 2023-01-01 --to 2023-12-31

Errors
  pipelines/dlt/bad/dagster.yaml:3:18 error SCHEDULE_CRON_INVALID bad �[31mcron
    write five fields
  held at their last good revision: dlt_bad

Notes
  the assets of dlt_new are known after merge

Plan: 2 to add, 3 to change, 2 to remove; 369 partitions to load; 1 error. Nothing was run or applied.`);
  });

  it('says that nothing changes', () => {
    const none = {
      ...PLAN,
      has_changes: false,
      changes: [],
      impact: [],
      diagnostics: [],
      held: [],
      notes: [],
      ticks: { ...PLAN.ticks, schedules: [] },
    };
    expect(
      planText(
        {
          ...none,
          impact: [{ asset: 'x', missing: NOTHING, stale: NOTHING, orphaned: NOTHING, command: null }].slice(
            1,
          ),
        },
        false,
      ),
    ).toBe(
      'Plan of shop: aaaaaaa → feature (bbbbbbb)\n\nPlan: no change that matters. Nothing was run or applied.',
    );
  });

  it('says the same in colours', () => {
    const plain = stripVTControlCharacters(planText(PLAN, true));
    expect(plain).toBe(planText(PLAN, false));
    expect(planText(PLAN, true)).toContain('\u001b[32m+ dlt_new\u001b[39m');
  });
});

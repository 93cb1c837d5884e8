import { expect, it } from 'vitest';
import { planComment, planTitle } from '../../src/component/plan-comment.ts';
import type { RevisionPlan } from '../../src/plan/revision-plan.ts';

const NOON = Date.UTC(2026, 0, 20, 12);
const NONE = { count: 0, spans: [] };
const PLAN: RevisionPlan = {
  component: 'shop',
  from: { commit: 'a'.repeat(40), revisionId: 1 },
  to: { commit: 'b'.repeat(40), revisionId: null, label: 'refs/pull/7/head' },
  changes: [
    {
      kind: 'schedule',
      key: 'dlt_orders_schedule',
      change: 'changed',
      fields: [{ field: 'cron_schedule', from: '0 2 * * *', to: '0 3 * * *' }],
      pipeline: 'dlt_orders',
      file: 'pipelines/dlt/orders/dagster.yaml',
    },
  ],
  ticks: {
    from: NOON,
    to: NOON + 7 * 86_400_000,
    schedules: [
      {
        schedule: 'dlt_orders_schedule',
        before: { count: 7, first: [NOON], timezone: 'UTC' },
        after: { count: 0, first: [], timezone: 'UTC' },
        note: 'never fires',
      },
    ],
  },
  impact: [
    {
      asset: 'dlt_orders',
      missing: { count: 31, spans: [] },
      stale: NONE,
      orphaned: NONE,
      command: 'elt backfill dlt_orders --missing',
    },
  ],
  diagnostics: [],
  held: [],
  notes: ['assets of dlt_new are known after merge'],
};

it('tells changes, ticks, partitions and what is not known', () => {
  const text = planComment(PLAN);
  expect(text).toContain('~ schedule `dlt_orders_schedule`: `cron_schedule` `0 2 * * *` → `0 3 * * *`');
  expect(text).toContain('`dlt_orders_schedule`: 7, first 2026-01-20T12:00:00.000Z → 0 (never fires)');
  expect(text).toContain('`dlt_orders`: 31 missing. After the merge: `elt backfill dlt_orders --missing`');
  expect(text).toContain('- `assets of dlt_new are known after merge`');
  expect(planTitle(PLAN)).toBe('0 added, 1 changed, 0 removed');
});

it('says so when nothing matters', () => {
  const text = planComment({
    ...PLAN,
    changes: [],
    impact: [],
    notes: [],
    ticks: { ...PLAN.ticks, schedules: [] },
  });
  expect(text).toContain('No pipeline changes in a way that matters.');
});

it.each(['@everyone look', '`@x` <script>', '``` @x', '[a](javascript:alert(1))', 'two\nlines @x'])(
  'H3: keeps %j of a repository in a code span',
  (hostile) => {
    const [line] = planComment({ ...PLAN, notes: [hostile] })
      .split('\n')
      .slice(-1);
    const fence = /^- (`+)/.exec(line as string)?.[1] as string;
    const inside = (line as string).slice(2 + fence.length, -fence.length);
    expect(line).toMatch(new RegExp(`${fence}$`));
    expect((inside.match(/`+/g) ?? []).every((run) => run.length < fence.length)).toBe(true);
    expect(inside.trim()).toBe(hostile.replace('\n', ' '));
  },
);

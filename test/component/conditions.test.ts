import { expect, it } from 'vitest';
import { type ConditionFacts, changedConditions, nextConditions } from '../../src/component/conditions.ts';

const FINE: ConditionFacts = {
  serving: 'a'.repeat(40),
  control: null,
  error: null,
  held: [],
  errors: 0,
  unset: [],
  pending: [],
  rewrittenFrom: null,
};
const AUTH = { code: 'GIT_AUTHENTICATION_FAILED', message: 'refused', next: 'stalled' } as const;
const DOWN = { code: 'GIT_UNREACHABLE', message: 'down', next: 'retry' } as const;

function verdicts(facts: Partial<ConditionFacts>): string[] {
  return nextConditions([], { ...FINE, ...facts }, 0)
    .filter(({ type, status }) => status === (type === 'Ready' ? 'False' : 'True'))
    .map(({ type, reason }) => `${type} ${reason}`);
}

it.each([
  ['nothing to report', {}, []],
  ['nothing yet', { serving: null }, ['Ready Starting']],
  [
    'a wrong token (G3)',
    { error: AUTH },
    ['Stalled AuthenticationFailed', 'FetchFailed AuthenticationFailed', 'Degraded AuthenticationFailed'],
  ],
  ['a remote that is down (G1)', { error: DOWN }, ['FetchFailed Unreachable', 'Degraded Unreachable']],
  [
    'an installation that GitHub refuses a token',
    { error: { code: 'GITHUB_REFUSED', message: 'no key', next: 'stalled' } as const },
    ['Stalled GithubRefused', 'FetchFailed GithubRefused', 'Degraded GithubRefused'],
  ],
  [
    'a remote that was never there',
    { error: DOWN, serving: null },
    ['Ready NoRevision', 'FetchFailed Unreachable', 'Degraded Unreachable'],
  ],
  ['held pipelines', { held: ['a'], errors: 1 }, ['Degraded PipelinesHeld']],
  ['a variable that nobody set (C4)', { unset: ['a: KEY is not set'] }, ['Degraded VariablesMissing']],
  ['errors elsewhere', { errors: 2 }, ['Degraded PipelinesBroken']],
  ['discovery under way', { pending: ['a', 'b'] }, ['Reconciling DiscoveryPending']],
  [
    'the prune guard',
    { error: { code: 'PRUNE_GUARD', message: '', next: 'stalled' } as const },
    ['Stalled PruneGuard', 'Degraded PruneGuard'],
  ],
])('%s', (_, facts, expected) => {
  expect(verdicts(facts)).toEqual(expected);
});

it('says what to do, wherever it tells of the failure', () => {
  const error = { ...AUTH, hint: 'set a new token' };
  const bad = nextConditions([], { ...FINE, error, serving: null }, 0).filter(
    ({ message }) => message !== '',
  );
  expect(bad.map(({ type, message }) => [type, message])).toEqual(
    ['Ready', 'Stalled', 'FetchFailed', 'Degraded'].map((type) => [type, 'refused (set a new token)']),
  );
});

it('since moves only with the status; a change of reason or message is told', () => {
  const first = nextConditions([], { ...FINE, error: DOWN }, 1);
  const second = nextConditions(first, { ...FINE, error: AUTH }, 2);
  const third = nextConditions(second, FINE, 3);
  const since = (conditions: typeof first, type: string) =>
    conditions.find((one) => one.type === type)?.since;
  expect([since(first, 'FetchFailed'), since(second, 'FetchFailed'), since(third, 'FetchFailed')]).toEqual([
    1, 1, 3,
  ]);
  expect(changedConditions(first, first)).toEqual([]);
  expect(changedConditions(first, second).map(({ type }) => type)).toEqual([
    'Stalled',
    'FetchFailed',
    'Degraded',
  ]);
});

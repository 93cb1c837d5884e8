import { expect, it } from 'vitest';
import type { AlertItem } from '../../src/alerts/alert-item.ts';
import { createRuleMatcher } from '../../src/alerts/match-rules.ts';
import type { AlertsConfig } from '../../src/definitions/alerts.ts';
import { buildDefinitions } from '../../src/definitions/build.ts';
import { rule, slack } from '../helpers/alert-rule.ts';
import { sampleSnapshot } from '../helpers/sample-definitions.ts';

const ALERTS: AlertsConfig = {
  channels: [slack('team')],
  rules: [rule({ name: 'failures' }), rule({ name: 'marts', select: 'group:default' })],
};
const source = (component: string, asset: string, alerts: AlertsConfig = ALERTS) => ({
  component,
  revisionId: 1,
  snapshot: { ...sampleSnapshot({ [asset]: { assets: { [asset]: {} } } }, { alerts }), component },
});
const item = (component: string, asset: string): AlertItem => ({
  event: 'run_failure',
  subjects: [asset],
  severity: 'ERROR',
  at: 0,
  components: [component],
  assetKeys: [asset],
  what: asset,
  partition: null,
  cause: '',
  runId: null,
  backfillId: null,
  schedule: null,
  commit: null,
  page: '/',
});

it('a rule sees the assets and channels of its own repository, whatever it is called elsewhere', () => {
  const { definitions } = buildDefinitions([source('shop', 'a'), source('bank', 'b')]);
  expect([...definitions.alerts.rules.values()].map(({ id, channelIds }) => [id, channelIds])).toEqual([
    ['failures', ['team']],
    ['marts', ['team']],
    ['bank__failures', ['bank__team']],
    ['bank__marts', ['bank__team']],
  ]);
  const { rulesFor } = createRuleMatcher(definitions);
  const ids = (one: AlertItem) => rulesFor(one).map(({ id }) => id);
  expect(ids(item('shop', 'a'))).toEqual(['failures', 'marts']);
  expect(ids(item('bank', 'b'))).toEqual(['bank__failures', 'bank__marts']);
});

it('is part of what definitions mean, its place in the file aside', () => {
  const digest = (alerts: AlertsConfig) => buildDefinitions([source('shop', 'a', alerts)]).definitions.digest;
  const moved = ALERTS.rules.map((one) => ({ ...one, source: { ...one.source, line: 99 } }));
  expect(digest({ ...ALERTS, rules: moved })).toBe(digest(ALERTS));
  expect(digest({ ...ALERTS, rules: [] })).not.toBe(digest(ALERTS));
});

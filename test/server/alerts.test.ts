import { expect, it } from 'vitest';
import { rule, slack } from '../helpers/alert-rule.ts';
import { sampleSnapshot } from '../helpers/sample-definitions.ts';
import { NOW, surface } from '../helpers/surface.ts';

const HOOK = 'https://hooks.slack.com/services/T000/B000/abcdefghijkl';

it('a secret that was committed is shown nowhere: not its line, not as a neighbour of another', async () => {
  const at = (code: string, line: number) => ({
    code,
    severity: 'error' as const,
    message: 'm',
    file: 'dagster.yaml',
    line,
    column: 1,
  });
  const { app } = await surface({
    files: { 'dagster.yaml': `alerts:\n  channels:\n    a: { type: slack, url: "${HOOK}" }\n  rules: 1\n` },
    snapshot: { diagnostics: [at('SECRET_IN_REPOSITORY', 3), at('CONFIG_TYPE', 4)] },
  });
  const { body } = await app.inject({ url: '/api/v1/diagnostics' });
  expect(body).not.toContain('abcdefghijkl');
  const [secret, other] = (JSON.parse(body) as { items: { excerpt: { text: string }[] }[] }).items;
  expect(secret!.excerpt).toEqual([]);
  expect(other!.excerpt.map(({ text }) => text)).toContain(
    '    a: { type: slack, url: "https://hooks.slack.com/***" }',
  );
});

it('a mute of a person stands over one of the file, and ends by itself', async () => {
  const rules = [rule({ mute: { until: null } }), rule({ name: 'once', mute: { until: NOW + 60_000 } })];
  const { app, clock } = await surface({
    snapshot: { instance: sampleSnapshot({}, { alerts: { channels: [slack('team')], rules } }).instance },
  });
  const post = async (path: string, payload?: object) =>
    (
      await app.inject({
        method: 'POST',
        url: `/api/v1/alerts/rules/${path}`,
        ...(payload === undefined ? {} : { payload }),
      })
    ).json<{ mute: { by: string; until: string | null } | null; code?: string }>();
  expect((await post('all/mute', { expires_in: '1h', reason: 'known' })).mute).toMatchObject({
    by: 'api',
    until: new Date(NOW + 3_600_000).toISOString(),
    reason: 'known',
  });
  expect((await post('all/unmute')).mute).toMatchObject({ by: 'Git', until: null });
  clock.advance(60_000);
  expect((await post('once/unmute')).mute).toBeNull();
  expect(await post('al/mute', {})).toMatchObject({
    code: 'ALERT_RULE_NOT_FOUND',
    hint: 'did you mean all?',
  });
  expect(await post('all/mute', { expires_in: 'soon' })).toMatchObject({ code: 'REQUEST_INVALID' });
});

import { describe, expect, it } from 'vitest';
import { resolveChannel } from '../../src/alerts/resolve-channel.ts';
import type { AlertPolicy } from '../../src/definitions/alert-variables.ts';
import type { AlertChannel } from '../../src/definitions/alerts.ts';

const SOURCE = { file: 'dagster.yaml', line: 1, column: 1 };
const ENV = {
  ELT_ALERT_URL: 'https://hooks.slack.com/services/T0/B0/abcdefgh',
  ELT_ALERT_KEY: 'sesame-open',
  ELT_ALERT_SMTP: 'smtp://elt:pass%40word@mail.example.com:587',
  ELT_ALERT_PLAIN: 'http://pager.internal/hook',
  ELT_ALERT_EMPTY: '',
  ELT_ALERT_TWO_LINES: 'a\r\nX-Evil: b',
  SLACK: 'https://hooks.slack.com/services/T1/B1/ijklmnop',
  GITHUB_TOKEN: 'ghp_secret',
  ELT_API_TOKEN: 'token-of-the-api',
  COMPANY_GIT_TOKEN: 'glpat-secret',
};
const POLICY: AlertPolicy = { variables: [], hosts: [], withheld: ['COMPANY_GIT_TOKEN'] };
const hook = (url: string, more: Partial<Extract<AlertChannel, { type: 'webhook' }>> = {}): AlertChannel => ({
  type: 'webhook',
  name: 'pager',
  url,
  headers: [],
  secret: null,
  source: SOURCE,
  ...more,
});
const resolved = (channel: AlertChannel, policy: Partial<AlertPolicy> = {}) =>
  resolveChannel(channel, { ...POLICY, ...policy }, ENV);

describe('a channel is given', () => {
  it.each<[string, AlertChannel, Partial<AlertPolicy>]>([
    ['a whole address of the operator', hook('${ELT_ALERT_URL}'), {}],
    ['a variable that the operator lists', hook('${SLACK}'), { variables: ['SLACK'] }],
    [
      'secrets beside an address of the operator',
      hook('${ELT_ALERT_URL}', { secret: '${ELT_ALERT_KEY}' }),
      {},
    ],
    ['an address of the repository without secrets', hook('https://ci.example.com/hook'), {}],
    [
      'secrets for a host that the operator names',
      hook('https://pager.example.com/${ELT_ALERT_KEY}'),
      { hosts: ['*.example.com'] },
    ],
    ['plain http to a named host', hook('${ELT_ALERT_PLAIN}'), { hosts: ['pager.internal'] }],
  ])('%s', (_, channel, policy) => {
    expect(resolved(channel, policy)).toHaveProperty('ok');
  });

  it.each<[string, AlertChannel, Partial<AlertPolicy>, RegExp]>([
    [
      'the token of Git',
      hook('${GITHUB_TOKEN}'),
      { variables: ['GITHUB_TOKEN'] },
      /GITHUB_TOKEN is never given/,
    ],
    ['the token of the API', hook('https://x.example/${ELT_API_TOKEN}'), {}, /ELT_API_TOKEN is never given/],
    [
      'a token that defs.yaml uses',
      hook('${COMPANY_GIT_TOKEN}'),
      { variables: ['COMPANY_GIT_TOKEN'] },
      /never given/,
    ],
    ['what the operator did not list', hook('${SLACK}'), {}, /SLACK is not given to alerts/],
    ['what is not set', hook('${ELT_ALERT_NONE}'), {}, /ELT_ALERT_NONE is not set/],
    ['what is empty', hook('${ELT_ALERT_EMPTY}'), {}, /ELT_ALERT_EMPTY is not set/],
    [
      'a secret for a host of the repository',
      hook('https://evil.example/', { headers: [{ name: 'X-Key', value: '${ELT_ALERT_KEY}' }] }),
      {},
      /to a host that the repository chose/,
    ],
    [
      'a part of an address of the repository',
      hook('https://evil.example/${ELT_ALERT_KEY}'),
      {},
      /repository chose/,
    ],
    ['a variable as a host', hook('https://${ELT_ALERT_KEY}.evil.example/'), {}, /repository chose/],
    [
      'another host than those named',
      hook('${ELT_ALERT_URL}'),
      { hosts: ['example.com'] },
      /not one of ELT_ALERT_HOSTS/,
    ],
    ['plain http', hook('${ELT_ALERT_PLAIN}'), {}, /plain http/],
    ['what is no address', hook('${ELT_ALERT_KEY}'), {}, /cannot be read/],
    [
      'a header of two lines',
      hook('${ELT_ALERT_URL}', { headers: [{ name: 'X-Key', value: '${ELT_ALERT_TWO_LINES}' }] }),
      {},
      /not one line/,
    ],
  ])('but never %s', (_, channel, policy, problem) => {
    const result = resolved(channel, policy);
    expect(result).toEqual({
      problem: expect.stringMatching(problem) as string,
      hint: expect.any(String) as string,
    });
    const shown = JSON.stringify(result);
    for (const value of Object.values(ENV)) if (value !== '') expect(shown).not.toContain(value);
  });

  it('and all that is to be hidden of it', () => {
    const mail: AlertChannel = {
      type: 'email',
      name: 'ops',
      to: ['a@example.com'],
      from: 'b@example.com',
      smtp: '${ELT_ALERT_SMTP}',
      source: SOURCE,
    };
    expect(resolved(mail)).toMatchObject({
      ok: { secrets: expect.arrayContaining(['pass%40word', 'pass@word']) as string[] },
    });
    expect(resolved(hook('${ELT_ALERT_URL}'))).toMatchObject({
      ok: { secrets: expect.arrayContaining(['/services/T0/B0/abcdefgh', 'abcdefgh']) as string[] },
    });
  });
});

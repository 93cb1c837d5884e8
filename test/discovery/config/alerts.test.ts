import { describe, expect, it } from 'vitest';
import { formatDiagnostic } from '../../../src/lib/diagnostics.ts';
import { discover } from '../../helpers/discover.ts';

const FOLDER = { 'pipelines/a/pipeline.py': 'import dlt\n' };
const GOOD = `run_retries: { max_retries: 2 }
alerts:
  channels:
    data-team: { type: slack, url: "\${ELT_ALERT_SLACK_URL}" }
    ops-mail: { type: email, to: ops@example.com, from: elt@example.com, smtp: "\${SMTP_URL}" }
    pager:
      type: webhook
      url: https://pager.example.com/hook
      headers: { X-Team: data }
      secret: "\${ELT_ALERT_PAGER_SECRET}"
  rules:
    - { name: failures, on: [run_failure], select: "group:finance or tag:team=x", channels: [data-team] }
    - name: late
      on: [asset_stale, check_failure]
      channels: [ops-mail, pager]
      severity: error
      mute: 2026-12-24T08:00:00Z
      repeat_after: 4h
      group_wait: 0s
`;
const NAMES = ['ELT_ALERT_SLACK_URL', 'SMTP_URL', 'ELT_ALERT_PAGER_SECRET'];
const given = (names: readonly string[], alertEnv: readonly string[] = []) => ({
  environment: { names: new Set(names), passEnv: [], alertEnv },
});

const linesOf = async (text: string, environment = given(NAMES, ['SMTP_URL'])) =>
  (await discover({ ...FOLDER, 'dagster.yaml': text }, environment)).diagnostics
    .filter(({ file }) => file === 'dagster.yaml')
    .map(formatDiagnostic);

describe('alerts in the dagster.yaml at the root', () => {
  it('are read with their places', async () => {
    const output = await discover({ ...FOLDER, 'dagster.yaml': GOOD }, given(NAMES, ['SMTP_URL']));
    expect(output.diagnostics.filter(({ file }) => file === 'dagster.yaml')).toEqual([]);
    expect(output.instance?.alerts).toMatchObject({
      channels: [
        { name: 'data-team', type: 'slack', url: '${ELT_ALERT_SLACK_URL}', source: { line: 4, column: 5 } },
        { name: 'ops-mail', type: 'email', to: ['ops@example.com'], smtp: '${SMTP_URL}' },
        { name: 'pager', type: 'webhook', headers: [{ name: 'X-Team', value: 'data' }] },
      ],
      rules: [
        {
          name: 'failures',
          on: ['run_failure'],
          select: 'group:finance or tag:team=x',
          channels: ['data-team'],
          severity: 'WARN',
          enabled: true,
          mute: null,
          repeatAfterSeconds: null,
          groupWaitSeconds: 30,
          source: { file: 'dagster.yaml', line: 12, column: 7 },
        },
        {
          name: 'late',
          severity: 'ERROR',
          mute: { until: Date.UTC(2026, 11, 24, 8) },
          repeatAfterSeconds: 14_400,
          groupWaitSeconds: 0,
        },
      ],
    });
  });

  it('warn of variables that alerts are not given, with the line to add', async () => {
    expect(await linesOf(GOOD, given(['ELT_ALERT_SLACK_URL', 'SMTP_URL']))).toEqual([
      'dagster.yaml:5:5 warning VARIABLE_MISSING the channel "ops-mail" cannot send: SMTP_URL is not given to alerts (call it ELT_ALERT_SMTP_URL, or let the operator add ELT_ALERT_ENV=SMTP_URL to .env)',
      'dagster.yaml:6:5 warning VARIABLE_MISSING the channel "pager" cannot send: ELT_ALERT_PAGER_SECRET is not set (add the line ELT_ALERT_PAGER_SECRET=… to .env)',
    ]);
  });

  it.each(['GITHUB_TOKEN', 'ELT_API_TOKEN', 'ELT_WEBHOOK_SECRET', 'DATABASE_URL', 'ELT_ALERT_ENV'])(
    'are never given %s, whatever the operator lists',
    async (name) => {
      const text = `alerts: { channels: { a: { type: slack, url: "\${${name}}" } } }`;
      expect(await linesOf(text, given([name], [name]))).toEqual([
        expect.stringContaining(`cannot send: ${name} is never given to alerts`),
      ]);
    },
  );

  it('report every mistake at once, and the last good settings go on', async () => {
    const text = `alerts:
  channels:
    a: { type: slak, url: x }
    b: { type: email, to: [no-address], from: elt@example.com }
    c: { type: webhook, url: "http://pager.example.com", headers: { Authorization: Bearer abc, X-Elt-Event: no } }
    d: { type: webhook, url: "\${ELT_ALERT_X}", secret: "swordfish", smtp: x }
  rules:
    - { on: [run_failure], channels: [a] }
    - { name: x, on: [job_failure, asset_stal], channels: [b, dd] }
    - { name: y, on: run_failure, channels: c, select: "group:", severity: HIGH, mute: tomorrow, repeat_after: 1s }
    - { name: y, on: [run_failure], chanels: c }
    - nothing
`;
    const output = await discover({ ...FOLDER, 'dagster.yaml': text });
    expect(output.instance).toBeNull();
    const lines = output.diagnostics
      .filter(({ file }) => file === 'dagster.yaml')
      .map((one) => formatDiagnostic(one).replace('dagster.yaml:', ''));
    expect(lines).toEqual([
      '3:16 error CONFIG_VALUE "slak" is not one of slack, email, webhook (did you mean "slack"?)',
      '4:8 error CONFIG_MISSING_KEY this channel needs "smtp" (smtp: "${ELT_ALERT_SMTP_URL}")',
      '4:27 error CONFIG_VALUE "no-address" is no e-mail address',
      '5:30 error CONFIG_VALUE plain http:// would send alerts readable (use https://)',
      expect.stringMatching(/^5:84 error SECRET_IN_REPOSITORY the value of "Authorization" is a secret/),
      '5:109 error CONFIG_VALUE "X-Elt-Event" cannot be set as a header',
      expect.stringMatching(/^6:56 error SECRET_IN_REPOSITORY the key of a signature is a secret/),
      expect.stringMatching(/^6:69 warning CONFIG_UNKNOWN_KEY "smtp" is not a key/),
      '8:7 error CONFIG_MISSING_KEY a rule needs a name (name: failures)',
      '9:23 error CONFIG_VALUE "job_failure" is not an event of alerts (did you mean "run_failure"?)',
      '9:36 error CONFIG_VALUE "asset_stal" is not an event of alerts (did you mean "asset_stale"?)',
      '9:63 error CONFIG_VALUE there is no channel "dd" (did you mean "d"?)',
      expect.stringMatching(/^10:56 error SELECTION_INVALID/),
      '10:76 error CONFIG_VALUE "HIGH" is not one of WARN, ERROR',
      '10:88 error CONFIG_VALUE "tomorrow" is no instant (write true, or until when: 2026-12-24T08:00:00Z)',
      '10:112 error CONFIG_VALUE it has to be from 60 to 2592000 seconds',
      '11:7 error CONFIG_VALUE two rules are called "y"',
      '11:37 error CONFIG_UNKNOWN_KEY "chanels" is not a key of "alerts.rules[3]" (did you mean "channels"?)',
      '12:7 error CONFIG_TYPE a mapping is needed, this is text (nothing)',
    ]);
    expect(lines.join()).not.toContain('swordfish');
  });

  it.each([
    ['https://hooks.slack.com/services/T000/B000/abcdefghijkl', 'the address of a Slack webhook is a secret'],
    ['https://user:hunter22@pager.example.com/', 'the address holds a password'],
  ])('refuse a secret that is committed, without saying it: %s', async (url, message) => {
    const [line, ...others] = await linesOf(`alerts: { channels: { a: { type: webhook, url: "${url}" } } }`);
    expect(others).toEqual([]);
    expect(line).toContain(`error SECRET_IN_REPOSITORY ${message}; it must not stand in the repository`);
    expect(line).not.toContain(url);
  });
});

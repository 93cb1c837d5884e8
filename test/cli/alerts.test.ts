import { expect, it } from 'vitest';
import { startHook, status } from '../helpers/alert-receivers.ts';
import { rule, slack } from '../helpers/alert-rule.ts';
import { runCli } from '../helpers/run-cli.ts';
import { sampleSnapshot } from '../helpers/sample-definitions.ts';
import { surface } from '../helpers/surface.ts';

async function listening() {
  const hook = await startHook();
  const channels = [slack('team'), { ...slack('other'), url: '${ELT_ALERT_OTHER}' }];
  const alerts = { channels, rules: [rule({ name: 'failures' })] };
  const service = await surface({
    snapshot: { instance: sampleSnapshot({}, { alerts }).instance },
    settings: { environment: { ELT_ALERT_URL: hook.url } },
  });
  await service.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = service.app.server.address() as { port: number };
  const env = { ELT_URL: `http://127.0.0.1:${port}` };
  return { ...service, hook, elt: (...args: string[]) => runCli(['alerts', ...args], { env }) };
}

it('lists rules and channels with what keeps one from sending', async () => {
  const { elt } = await listening();
  const { stdout, code } = await elt();
  expect(code).toBe(0);
  expect(stdout).toMatch(/^failures +run_failure +everything +team +on +never$/m);
  expect(stdout).toMatch(/^team +slack +ready +never$/m);
  expect(stdout).toMatch(
    /^other +slack +ELT_ALERT_OTHER is not set: add the line ELT_ALERT_OTHER=… to \.env/m,
  );
});

it('is part of what the doctor looks at', async () => {
  const { app } = await surface({
    snapshot: {
      instance: sampleSnapshot({}, { alerts: { channels: [slack('team')], rules: [rule()] } }).instance,
    },
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as { port: number };
  const { stdout, code } = await runCli(['doctor'], { env: { ELT_URL: `http://127.0.0.1:${port}` } });
  expect(code).toBe(1);
  expect(stdout).toMatch(
    /✗ alert channel team: ELT_ALERT_URL is not set\n {4}add the line ELT_ALERT_URL=… to \.env/,
  );
});

it('tests a channel, a rule or all, and ends with 1 when one did not arrive', async () => {
  const { elt, hook } = await listening();
  const [channel, ofRule, all] = [
    await elt('test', 'team'),
    await elt('test', 'failures'),
    await elt('test'),
  ];
  expect([channel.code, ofRule.code, all.code]).toEqual([0, 0, 1]);
  expect(channel.stdout).toMatch(/team +test +sent +Test: example_asset failed +200 ok/);
  expect(all.stdout).toMatch(/other +test +failed .*ELT_ALERT_OTHER is not set/);
  expect(hook.posts).toHaveLength(3);
  hook.answer = status(404, 'no_service');
  const refused = await elt('test', 'team', '--json');
  expect(refused.code).toBe(1);
  expect(JSON.parse(refused.stdout)).toMatchObject({
    items: [{ status: 'failed', error: '404 no_service' }],
  });
  expect((await elt('test', 'taem')).stderr).toMatch(/ALERT_CHANNEL_NOT_FOUND .*\n {2}did you mean team/);
  expect((await elt('log', '--limit', '2')).stdout.split('\n').length).toBe(4);
});

it('mutes a rule for a time, and unmutes it', async () => {
  const { elt, store } = await listening();
  expect((await elt('mute', 'failures', '--for', '2h', '--reason', 'known')).stdout).toMatch(
    /^failures: muted by cli:\w+/,
  );
  expect([...(await store.alerts.mutes()).values()]).toMatchObject([{ rule: 'failures', reason: 'known' }]);
  expect((await elt('unmute', 'failures')).stdout.trim()).toBe('failures: on');
  expect((await elt('mute')).code).toBe(2);
  expect((await elt('mut')).stderr).toMatch(/use test, mute, unmute, log, retry/);
  expect((await store.operations.auditLog({ limit: 5 })).map(({ action }) => action)).toEqual([
    'alert.unmute',
    'alert.mute',
  ]);
});

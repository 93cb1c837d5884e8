import { describe, expect, it } from 'vitest';
import { runCli } from '../helpers/run-cli.ts';
import { DAILY, type SamplePipeline } from '../helpers/sample-definitions.ts';
import { surface } from '../helpers/surface.ts';

const SCHEDULE = {
  cron: ['0 2 * * *'],
  timezone: 'Europe/Berlin',
  defaultStatus: 'RUNNING',
  catchUp: 'latest',
  overlap: 'skip',
  jitterSeconds: 0,
} as const;
/** It is 2026-01-20: the days go from 1 to 19. */
const SHOP: Record<string, SamplePipeline> = {
  raw: {
    config: { partitions: DAILY, schedule: SCHEDULE },
    assets: { raw: { checks: [{ name: 'rows', blocking: true, severity: 'ERROR' }] } },
  },
  staged: {
    config: { partitions: DAILY, automation: { condition: 'eager().without(in_latest_time_window())' } },
    assets: { staged: { deps: ['raw'] } },
  },
  stopped: { config: { schedule: { ...SCHEDULE, defaultStatus: 'STOPPED' } }, assets: { stopped: {} } },
  loose: { assets: { loose: { deps: ['crm'] } } },
  off: { config: { enabled: false, automation: { condition: 'eager' } }, assets: { off: {} } },
  broken: { held: true, assets: { broken: {} } },
};

/** Automation has looked once; with `loaded` the 18th of January was loaded then, and it looked again. */
async function listening(loaded: boolean) {
  const service = await surface({
    pipelines: SHOP,
    step: (spec) => ({
      events: spec.assets.some(({ key }) => key === 'raw')
        ? [
            {
              type: 'check',
              asset_key: 'raw',
              check_name: 'rows',
              passed: true,
              severity: 'ERROR',
              partition: spec.partitionKeys[0],
              metadata: {},
            },
          ]
        : [],
    }),
  });
  await service.automation.look();
  if (loaded) {
    const { runIds } = await service.engine.submit({
      assets: ['raw'],
      partitions: { kind: 'keys', keys: ['2026-01-18'] },
      fullRefresh: false,
      config: {},
      tags: {},
      priority: 0,
      cause: { kind: 'cli', user: 'ada' },
    });
    await service.engine.finished(runIds[0]!);
    await service.automation.look();
  }
  await service.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = service.app.server.address() as { port: number };
  const env = { ELT_URL: `http://127.0.0.1:${port}` };
  return { ...service, elt: (...args: string[]) => runCli(args, { env }) };
}

describe('elt explain', () => {
  it('says what a condition asked for, in which run, and shows the tree', async () => {
    const { elt, store } = await listening(true);
    const [row] = await store.automation.evaluations({ requestedOnly: true, limit: 1 });
    const { code, stdout } = await elt('explain', 'staged');
    expect(code).toBe(0);
    expect(stdout).toMatch(/condition +eager\(\)\.without\(in_latest_time_window\(\)\)/);
    expect(stdout).toContain(`it asked for 1 partition (2026-01-18), in run ${row!.runIds[0]} `);
    expect(stdout).toMatch(/^ {2}✓ eager {2}1 of 19: 2026-01-18$/m);
    expect(stdout).toMatch(/^ +✓ any_deps_updated {2}1 of 19: 2026-01-18$/m);
    expect(stdout).toMatch(/^ +✓ newly_updated_without_root \(raw\) {2}1 of 19: 2026-01-18$/m);
  });

  it('says of one partition what holds now', async () => {
    const { elt } = await listening(true);
    const { stdout } = await elt('explain', 'staged', '--partition', '2026-01-19');
    expect(stdout).toContain('2026-01-19 would not be asked for now:');
    expect(stdout).toMatch(/^ {2}✗ eager {2}0 of 1$/m);
    const waiting = await elt('explain', 'staged', '--partition', '2027-01-01');
    expect([waiting.code, waiting.stderr]).toEqual([4, expect.stringContaining('PARTITION_UNKNOWN')]);
  });

  it.each([
    [['loose'], /no automation condition and no schedule: .*elt materialize loose/],
    [
      ['raw'],
      /no automation condition; its schedule raw_schedule runs next at 2026-01-21 02:00 Europe\/Berlin/,
    ],
    [['stopped'], /its schedule stopped_schedule is stopped: elt schedules start stopped_schedule/],
    [['off'], /disabled: nothing runs it \(enabled: false in pipelines\/python\/off\/dagster\.yaml\)/],
    [['broken'], /the newest revision of its folder is broken, it runs by the last good one/],
    [['crm'], /no pipeline here: it is made elsewhere/],
    [['staged'], /its condition, which has not asked for anything yet/],
    [['raw', '--check', 'rows'], /rows \(blocking\): has not run yet; it runs when raw does/],
  ])('says what runs an asset, and why not: %s', async (args, expected) => {
    const { elt } = await listening(false);
    const { code, stdout } = await elt('explain', ...args);
    expect(code).toBe(0);
    expect(stdout).toMatch(expected);
  });

  it('says what a check found, and refuses one that is not there', async () => {
    const { elt } = await listening(true);
    const { stdout } = await elt('explain', 'raw', '--check', 'rows');
    expect(stdout).toMatch(/rows \(blocking\): passed for 2026-01-18 .* in run /);
    const none = await elt('explain', 'raw', '--check', 'row');
    expect([none.code, none.stderr]).toEqual([4, expect.stringContaining('it has rows')]);
    const nobody = await elt('explain', 'stagd');
    expect([nobody.code, nobody.stderr]).toEqual([4, expect.stringContaining('did you mean staged?')]);
  });

  it('prints one document with --json', async () => {
    const { elt } = await listening(true);
    const { stdout } = await elt('explain', 'staged', '--partition', '2026-01-18', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      asset_key: 'staged',
      automation: { latest_request: { requested: 1 } },
      now: { partition: '2026-01-18' },
      check: null,
      held: false,
    });
  });
});

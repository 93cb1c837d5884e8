import { describe, expect, it } from 'vitest';
import { runCli } from '../helpers/run-cli.ts';
import { DAILY, DAILY_BY_CATEGORY, type SamplePipeline } from '../helpers/sample-definitions.ts';
import { type SurfaceOptions, surface } from '../helpers/surface.ts';

const SHOP: Record<string, SamplePipeline> = {
  hello: {
    config: {
      group: 'demo',
      schedule: {
        cron: ['0 2 * * *'],
        timezone: 'Europe/Berlin',
        defaultStatus: 'RUNNING',
        catchUp: 'latest',
        overlap: 'skip',
        jitterSeconds: 0,
      },
    },
    assets: { hello: {} },
  },
  daily: { config: { partitions: DAILY }, assets: { daily: { deps: ['hello'] } } },
  matrix: { config: { partitions: DAILY_BY_CATEGORY }, assets: { matrix: {} } },
  off: { config: { enabled: false }, assets: { off: {} } },
};

/** The real command against a service that listens; it needs to know its address only. */
async function listening(options: SurfaceOptions = {}) {
  const service = await surface({ pipelines: SHOP, ...options });
  await service.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = service.app.server.address() as { port: number };
  const env = { ELT_URL: `http://127.0.0.1:${port}` };
  return { ...service, elt: (...args: string[]) => runCli(args, { env }) };
}

describe('commands', () => {
  it('print one JSON document and nothing else with --json', async () => {
    const { elt } = await listening({ step: () => ({ lines: ['a line'] }) });
    const launched = JSON.parse((await elt('run', 'hello', '--json')).stdout) as { run_ids: string[] };
    const [id] = launched.run_ids as [string];
    const commands = [
      ['list'],
      ['list', 'jobs'],
      ['list', 'schedules'],
      ['list', 'pipelines'],
      ['list', 'runs'],
      ['show', 'hello'],
      ['lineage'],
      ['partitions', 'daily'],
      ['partitions', 'matrix', '--status', 'missing'],
      ['runs'],
      ['runs', 'show', id],
      ['logs', id],
      ['schedules'],
      ['schedules', 'stop', 'hello_schedule'],
      ['ticks', 'hello_schedule', '--next', '2'],
      ['status'],
      ['history'],
      ['refresh'],
      ['retry', id],
      ['materialize', 'daily', '--partition', 'latest', '--wait'],
      ['version'],
      ['completion', 'bash'],
    ];
    await Promise.all(
      commands.map(async (args) => {
        const result = await elt(...args, '--json');
        expect([args, result.code, result.stderr.includes('error')]).toEqual([args, 0, false]);
        expect(JSON.parse(result.stdout), args.join(' ')).toBeTypeOf('object');
      }),
    );
  });

  it('end with the code of what went wrong, and say what to do', async () => {
    const { elt } = await listening();
    const cases = [
      [['show', 'helo'], 4, /ASSET_NOT_FOUND .*\n {2}did you mean hello/],
      [['list', 'nothing_like_it'], 4, /SELECTION_EMPTY/],
      [['list', '('], 2, /SELECTION_INVALID/],
      [['runs', 'show', '0198'], 4, /RUN_NOT_FOUND/],
      [['runs', '--status', 'done'], 2, /REQUEST_INVALID .*\n {2}use QUEUED/],
      [['logs', 'hello'], 4, /RUN_NOT_FOUND hello has not been run/],
      [['ticks', 'helo_schedule'], 4, /SCHEDULE_NOT_FOUND .*\n {2}did you mean hello_schedule/],
      [['partitions', 'hello'], 4, /PARTITION_UNKNOWN/],
      [['refresh', '--component', 'x'], 4, /COMPONENT_UNKNOWN .*\n {2}there is main/],
      [['materialize', 'daily'], 2, /PARTITION_NEEDED [\s\S]*--partition latest/],
      [['materialize', 'daily', '--partition', '2030-01-01'], 4, /PARTITION_UNKNOWN/],
      [['materialize', 'off'], 5, /PIPELINE_DISABLED .*\n {2}set "enabled: true"/],
    ] as const;
    await Promise.all(
      cases.map(async ([args, code, message]) => {
        const result = await elt(...args);
        expect([args, result.code, result.stdout]).toEqual([args, code, '']);
        expect(result.stderr).toMatch(message);
      }),
    );
  });

  it('show lists as tables, whole in a pipe', async () => {
    const { elt } = await listening();
    const rows = (text: string) =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => line.split(/\s{2,}/));
    expect(rows((await elt('list')).stdout)).toEqual([
      ['ASSET', 'GROUP', 'TOOL', 'STATE', 'PARTITIONS', 'NEXT'],
      ['daily', 'default', 'python', '· never', '0/19'],
      ['hello', 'demo', 'python', '· never', expect.stringMatching(/ago|in /)],
      ['matrix', 'default', 'python', '· never', '0/38'],
      ['off', 'default', 'python', '○ disabled'],
    ]);
    expect((await elt('lineage')).stdout).toBe(
      'hello  · never\n└─ daily  · never\nmatrix  · never\noff  · never\n',
    );
    const ticks = await elt('ticks', 'hello_schedule', '--next', '3');
    expect(ticks.stdout.match(/2026-01-\d\d 02:00 Europe\/Berlin/g)).toHaveLength(3);
  });

  it('stop and start a schedule', async () => {
    const { elt, store } = await listening();
    await store.schedules.setCursors([{ schedule: 'hello_schedule', cursor: 0, configDigest: 'digest' }]);
    expect((await elt('schedules', 'stop', 'hello_schedule')).stdout).toBe('hello_schedule is STOPPED\n');
    expect((await elt('schedules')).stdout).toMatch(/○ STOPPED/);
    const upcoming = await elt('ticks', 'hello_schedule', '--next', '1');
    expect(upcoming.stderr).toMatch(/STOPPED: none of these fires/);
    expect((await elt('schedules', 'start', 'hello_schedule')).stdout).toMatch(
      /is RUNNING, next tick .*02:00 Europe/,
    );
    const [last] = await store.operations.auditLog({ limit: 1 });
    expect(last).toMatchObject({ action: 'schedule.start', actor: expect.stringMatching(/^cli:/) });
  });

  it('colour nothing in a pipe, and everything when asked to', async () => {
    const { elt } = await listening();
    expect((await elt('list')).stdout).not.toContain('\u001b');
    expect((await elt('list', '--color')).stdout).toContain('\u001b[2m');
    expect((await elt('list', '--color', '--json')).stdout).not.toContain('\u001b');
  });
});

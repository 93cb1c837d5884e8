import { describe, expect, it } from 'vitest';
import { createBackfillDaemon } from '../../src/daemons/backfill.ts';
import { createLogger } from '../../src/lib/log.ts';
import type { PartitionsDefinition } from '../../src/partitions/definition/partitions-definition.ts';
import type { Backfill, BackfillPreview } from '../../src/server/contract/backfill.ts';
import { type CliResult, runCli } from '../helpers/run-cli.ts';
import { DAILY, DAILY_BY_CATEGORY, type SamplePipeline } from '../helpers/sample-definitions.ts';
import { seen, settleBackfills } from '../helpers/settle-backfills.ts';
import { type SurfaceOptions, surface } from '../helpers/surface.ts';

/** It is 2026-01-20: 19 days, and 38 cells. */
const SHOP: Record<string, SamplePipeline> = {
  daily: { config: { partitions: DAILY }, assets: { daily: {} } },
  matrix: { config: { partitions: DAILY_BY_CATEGORY }, assets: { matrix: {} } },
  many: {
    config: { partitions: { ...DAILY, start: '2025-01-01' } as PartitionsDefinition },
    assets: { many: {} },
  },
  cancel: { config: { partitions: DAILY }, assets: { cancel: {} } },
};
const FAILED = {
  type: 'step_failed',
  seconds: 1,
  error: { code: 'STEP_FAILED', message: 'HTTP 429', failureClass: 'user' },
  finishedAssets: [],
  failedBlockingChecks: [],
} as const;

async function listening(options: SurfaceOptions & { daemon?: boolean } = {}) {
  const service = await surface({ pipelines: SHOP, ...options });
  await service.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = service.app.server.address() as { port: number };
  const env = { ELT_URL: `http://127.0.0.1:${port}` };
  const { backfills, clock } = service;
  const { operations } = service.store;
  const daemon = createBackfillDaemon({ backfills, operations, clock, logger: createLogger('silent') });
  if (options.daemon !== false) daemon.start();
  const elt = (args: readonly string[], onOutput?: (sofar: CliResult, kill: () => void) => void) =>
    runCli(args, {
      env,
      ...(onOutput === undefined ? {} : { onOutput: (sofar, kill) => onOutput(sofar, () => kill('SIGINT')) }),
    });
  return { ...service, elt, stop: () => daemon.stop() };
}

describe('elt backfill', () => {
  it('shows in a dry run what it would write, in which runs, and what is written again', async () => {
    const { elt, store, stop } = await listening();
    await elt(['materialize', 'daily', '--partition', '2026-01-02', '--wait', '--quiet']);
    const dry = await elt(['backfill', 'daily', '--from', '2026-01-01', '--to', '2026-01-03', '--dry-run']);
    await stop();
    expect(dry.code, dry.stderr).toBe(0);
    const lines = dry.stdout.split('\n').map((line) => line.trim().split(/\s{2,}/));
    expect(lines[1]).toEqual(['daily', '3', '1', '2026-01-01', '2026-01-03']);
    expect(dry.stdout).toMatch(/^FIRST RUNS +ASSETS\n2026-01-01 +daily\n/m);
    expect(dry.stdout).toMatch(/^3 partitions in 3 runs, about .* by 1 earlier run\)$/m);
    expect(dry.stdout).toMatch(/^1 partition written already: written again$/m);
    expect(await store.backfills.list({ limit: 1 })).toEqual([]);
  });

  it('waits for the end: 0, and 1 if something failed; retry takes the rest', async () => {
    let fails = true;
    const { elt, store, stop } = await listening({
      step: ({ partitionKeys: [key] }) => (fails && key === '2026-01-02' ? { result: FAILED } : {}),
    });
    const failed = await elt(['backfill', 'daily', '--from', '2026-01-01', '--to', '2026-01-03', '--wait']);
    expect([failed.code, failed.stdout.trim()]).toEqual([
      1,
      expect.stringMatching(/^backfill \S+ {2}✗ COMPLETED_FAILED {2}2\/3 ✓ 1 ✗$/),
    ]);
    expect(failed.stderr).toMatch(/✗ run \S+: .*/);
    expect(failed.stderr).toMatch(/see: elt backfills show \S+/);
    const lacks = await elt(['partitions', 'daily']);
    expect(lacks.stderr).toMatch(/^what lacks: elt backfill key:daily --missing --failed$/m);

    const shown = await elt(['backfills', 'show', 'latest']);
    expect(shown.stdout).toMatch(/✗ FAILURE +2026-01-02/);
    expect(shown.stdout).toMatch(/^elt backfill retry \S+ {2}runs 1 partition again$/m);
    fails = false;
    const retried = await elt(['backfill', 'retry', 'latest', '--wait', '--json']);
    await stop();
    expect(retried.code, retried.stderr).toBe(0);
    expect(JSON.parse(retried.stdout)).toMatchObject({
      status: 'COMPLETED_SUCCESS',
      counts: { total: 1, materialized: 1 },
      parent_id: expect.any(String),
    });
    expect((await store.assets.materializations('daily', { limit: 10 })).length).toBe(3);
  });

  it('takes --missing and --failed alone as over all, and with a range as within it', async () => {
    const { elt, stop } = await listening();
    const preview = async (...args: string[]): Promise<number> => {
      const result = await elt(['backfill', 'daily', ...args, '--dry-run', '--json']);
      expect(result.code, result.stderr).toBe(0);
      return (JSON.parse(result.stdout) as BackfillPreview).partitions;
    };
    await elt(['materialize', 'daily', '--partition', '2026-01-02', '--wait', '--quiet']);
    expect(await preview('--missing')).toBe(18);
    expect(await preview('--missing', '--failed', '--from', '2026-01-01', '--to', '2026-01-03')).toBe(2);
    expect(await preview('--all')).toBe(19);
    expect(await preview('--partitions', '2026-01-02, 2026-01-05')).toBe(2);
    await stop();
  });

  it('is steered by its id, a part of it or latest; an asset of that name by key:', async () => {
    const service = await listening({ daemon: false, step: () => ({ hold: true }) });
    const { elt, store, backfills } = service;
    const begun = await elt(['backfill', 'daily', '--all', '--max-concurrent', '1', '--newest-first']);
    const id = begun.stdout.trim();
    expect(begun.stderr).toMatch(/19 partitions in 19 runs; follow with: elt backfills show/);
    await backfills.advance();
    await seen(store, (event) => event.type === 'step_started');
    expect((await elt(['backfill', 'pause', id.slice(-12)])).stdout).toBe(`backfill ${id} is PAUSED\n`);
    expect((await elt(['backfills', '--status', 'paused'])).stdout).toMatch(/○ PAUSED +daily/);
    expect((await elt(['backfill', 'resume', 'latest'])).stdout).toBe(`backfill ${id} is REQUESTED\n`);
    expect((await elt(['backfill', 'cancel', id])).stdout).toBe(`backfill ${id} is CANCELING\n`);
    await settleBackfills(service);
    const listed = JSON.parse((await elt(['backfills', '--json'])).stdout) as { items: Backfill[] };
    expect(listed.items.map(({ status }) => status)).toEqual(['CANCELED']);
    const asset = await elt(['backfill', 'key:cancel', '--all', '--dry-run', '--json']);
    expect(JSON.parse(asset.stdout)).toMatchObject({ assets: [{ key: 'cancel' }] });
  });

  it('is left alone by Ctrl+C, which says how to go on', async () => {
    const { elt, store } = await listening({ daemon: false });
    let killed = false;
    const left = await elt(['backfill', 'daily', '--all', '--wait'], (sofar, kill) => {
      if (killed || !/19 partitions in 19 runs/.test(sofar.stderr)) return;
      killed = true;
      kill();
    });
    expect([left.code, left.stdout]).toEqual([130, '']);
    expect(left.stderr).toMatch(
      /^backfill \S+ goes on in the service; see: elt backfills show \S+\nstop it for a while: elt backfill pause /m,
    );
    expect((await store.backfills.list({ limit: 2 })).map(({ status }) => status)).toEqual(['REQUESTED']);
  });

  it('does not start what is large or cannot be undone without being told to', async () => {
    const { elt, store } = await listening({ daemon: false });
    for (const args of [
      ['many', '--all'],
      ['daily', '--all', '--full-refresh'],
    ]) {
      const refused = await elt(['backfill', ...args]);
      expect([refused.code, refused.stdout]).toEqual([2, '']);
      expect(refused.stderr).toMatch(/nothing was started: .*--yes\n {2}--dry-run shows/);
      expect(await store.backfills.list({ limit: 1 })).toEqual([]);
    }
    const begun = await elt(['backfill', 'many', '--all', '--yes']);
    expect(begun.code, begun.stderr).toBe(0);
  });

  it.each([
    [['dayly', '--all'], 4, /SELECTION_EMPTY .*\n {2}did you mean daily\?/],
    [['daily'], 2, /which partitions\?\n {2}--from K --to K, --all/],
    [['daily', '--from', '2026-01-01'], 2, /needs both ends: --to/],
    [['daily', '--all', '--partitions', '2026-01-01'], 2, /exclude each other/],
    [['daily', '--from', '2026-01-05', '--to', '2026-01-01'], 4, /BACKFILL_EMPTY .*comes after/],
    [['daily', '--partitions', '2031-01-01'], 4, /PARTITION_UNKNOWN/],
    [['daily', '--all', '--max-concurrent', '0'], 2, /whole number/],
    [['pause'], 2, /which backfill\? elt backfill pause <id>/],
    [['pause', 'latest'], 4, /BACKFILL_NOT_FOUND/],
    [['cancle', 'latest'], 2, /did you mean elt backfill cancel latest\?/],
  ] as const)('refuses %j with %i', async (args, code, message) => {
    const { elt } = await listening({ daemon: false });
    const result = await elt(['backfill', ...args]);
    expect([result.code, result.stdout]).toEqual([code, '']);
    expect(result.stderr).toMatch(message);
  });
});

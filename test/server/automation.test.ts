import { describe, expect, it } from 'vitest';
import type { AssetDetail } from '../../src/server/contract/asset.ts';
import type {
  AutomationEvaluation,
  AutomationEvaluationDetail,
  AutomationExplanation,
} from '../../src/server/contract/automation.ts';
import type { Problem } from '../../src/server/contract/common.ts';
import { DAILY, type SamplePipeline } from '../helpers/sample-definitions.ts';
import { type Surface, surface } from '../helpers/surface.ts';

/** It is 2026-01-20: the days go from 1 to 19. */
const SHOP: Record<string, SamplePipeline> = {
  raw: { config: { partitions: DAILY }, assets: { raw: {} } },
  staged: {
    config: {
      partitions: DAILY,
      automation: { condition: 'eager().without(in_latest_time_window())' },
    },
    assets: { staged: { deps: ['raw'] } },
  },
  off: { config: { automation: { condition: 'eager' }, enabled: false }, assets: { off: {} } },
};

async function get<T>({ app }: Surface, path: string, status = 200): Promise<T> {
  const response = await app.inject({ url: `/api/v1${path}` });
  expect(response.statusCode, response.body).toBe(status);
  return response.json();
}

/** The 18th of January is loaded, and automation has looked at it. */
async function loaded(): Promise<Surface & { readonly runIds: readonly string[] }> {
  const opened = await surface({ pipelines: SHOP });
  await opened.automation.look();
  const { runIds } = await opened.engine.submit({
    assets: ['raw'],
    partitions: { kind: 'keys', keys: ['2026-01-18'] },
    fullRefresh: false,
    config: {},
    tags: {},
    priority: 0,
    cause: { kind: 'cli', user: 'ada' },
  });
  await opened.engine.finished(runIds[0]!);
  opened.clock.advance(1000);
  await opened.automation.look();
  const [request] = await opened.store.automation.evaluations({ requestedOnly: true, limit: 1 });
  for (const runId of request!.runIds) await opened.engine.finished(runId);
  return { ...opened, runIds: request!.runIds };
}

describe('GET /automation', () => {
  it('lists evaluations newest first, by asset, and only those that asked for something', async () => {
    const opened = await loaded();
    const all = await get<{ items: AutomationEvaluation[] }>(opened, '/automation/evaluations');
    expect(all.items.length).toBeGreaterThan(1);
    const asked = await get<{ items: AutomationEvaluation[]; next_cursor: string | null }>(
      opened,
      '/automation/evaluations?asset=staged&requested=true',
    );
    expect(asked).toMatchObject({
      items: [
        {
          asset_key: 'staged',
          requested: 1,
          spans: [{ start: '2026-01-18', end: '2026-01-18', count: 1 }],
          run_ids: opened.runIds,
          backfill_id: null,
          condition: 'eager().without(in_latest_time_window())',
        },
      ],
      next_cursor: null,
    });
    const first = await get<{ items: AutomationEvaluation[]; next_cursor: string }>(
      opened,
      '/automation/evaluations?limit=1',
    );
    const second = await get<{ items: AutomationEvaluation[] }>(
      opened,
      `/automation/evaluations?limit=1&cursor=${first.next_cursor}`,
    );
    expect([...first.items, ...second.items]).toEqual(all.items.slice(0, 2));
    expect(await get(opened, '/automation/evaluations?asset=raw')).toMatchObject({ items: [] });
  });

  it('gives the tree of an evaluation, each part before its own parts', async () => {
    const opened = await loaded();
    const [row] = await opened.store.automation.evaluations({ requestedOnly: true, limit: 1 });
    const path = `/automation/evaluations/${encodeURIComponent(row!.evaluationId)}`;
    const { tree } = await get<AutomationEvaluationDetail>(opened, path);
    expect(tree[0]).toMatchObject({ depth: 0, entity: 'staged', candidates: 19, matched: 1 });
    expect(tree.some(({ entity, label }) => entity === 'raw' && label === 'newly_updated_without_root')).toBe(
      true,
    );
    for (const [index, { depth }] of tree.entries()) {
      expect(depth).toBeLessThanOrEqual((tree[index - 1]?.depth ?? -1) + 1);
    }
    const problem = await get<Problem>(opened, '/automation/evaluations/none%2Fstaged', 404);
    expect(problem.code).toBe('EVALUATION_NOT_FOUND');
  });

  it('lists assets with conditions, and shows the newest evaluations with an asset', async () => {
    const opened = await loaded();
    const { items } = await get<{ items: unknown[] }>(opened, '/automation/assets');
    expect(items).toMatchObject([
      { asset_key: 'off', condition: 'eager', label: 'eager', enabled: false, latest: null },
      { asset_key: 'staged', enabled: true, held: false, latest_request: { run_ids: opened.runIds } },
    ]);
    const { automation } = await get<AssetDetail>(opened, '/assets/staged');
    expect(automation).toEqual(items[1]);
    expect((await get<AssetDetail>(opened, '/assets/raw')).automation).toBeNull();
  });
});

describe('GET /assets/:key/explanation', () => {
  it('says what was, and what would be now, of one partition', async () => {
    const opened = await loaded();
    const before = await opened.store.lastEventId();
    const of = (query: string) => get<AutomationExplanation>(opened, `/assets/staged/explanation${query}`);
    expect(await of('')).toMatchObject({
      automation: { condition: 'eager().without(in_latest_time_window())' },
      latest: { asset_key: 'staged' },
      now: { partition: null, requested: 0 },
    });
    const { now } = await of('?partition=2026-01-19');
    expect(now).toMatchObject({ partition: '2026-01-19', requested: 0 });
    expect(now!.tree[0]).toMatchObject({ depth: 0, candidates: 1, matched: 0 });
    expect(await opened.store.lastEventId()).toBe(before);
    expect(await get(opened, '/assets/raw/explanation')).toMatchObject({
      automation: null,
      latest: null,
      now: null,
    });
    expect(await get(opened, '/assets/off/explanation')).toMatchObject({
      automation: { enabled: false },
      now: null,
    });
  });

  it('refuses what is not there', async () => {
    const opened = await surface({ pipelines: SHOP });
    expect(await get<Problem>(opened, '/assets/nobody/explanation', 404)).toMatchObject({
      code: 'ASSET_NOT_FOUND',
    });
    const problem = await get<Problem>(opened, '/assets/staged/explanation?partition=2030-01-01', 422);
    expect(problem.code).toBe('PARTITION_UNKNOWN');
  });
});

import { z } from 'zod';
import type { BackfillRow } from '../../store/backfill-store.ts';
import { actorOf, actorText } from '../actor.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { backfillRequest } from '../backfill-request.ts';
import {
  Backfill,
  BackfillDetail,
  BackfillList,
  BackfillPartitions,
  BackfillPreview,
  BackfillQuery,
  BackfillRequest,
  BackfillRunList,
  BackfillRunQuery,
  BackfillStatus,
} from '../contract/backfill.ts';
import { RunStatus } from '../contract/common.ts';
import { decodeNumberCursor, decodeTextCursor, pageOf } from '../cursor.ts';
import { problems } from '../openapi.ts';
import { refusal } from '../refusal.ts';
import { statusWords } from '../status-words.ts';
import { backfillPartitions } from '../views/backfill-partitions.ts';
import {
  backfillDetail,
  backfillRunView,
  backfillView,
  expectedEnd,
  previewView,
} from '../views/backfill-view.ts';

const DEFAULT_LIMIT = 50;
const DEFAULT_RUNS = 100;
/** Newest runs from which the pace is read. */
const PACE_RUNS = 50;
const IdParams = z.object({ id: z.string() });
const RUN_STATUSES = [...RunStatus.options, 'SKIPPED'] as const;

export function backfillRoutes(app: App, deps: AppDeps): void {
  const { store, backfills } = deps;
  const making = new Map<string, Promise<BackfillRow>>();

  app.get(
    '/backfills',
    {
      schema: {
        tags: ['backfills'],
        summary: 'Backfills, newest first',
        querystring: BackfillQuery,
        response: { 200: BackfillList, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      const { limit = DEFAULT_LIMIT, status, asset } = request.query;
      const cursor = decodeTextCursor(request.query.cursor);
      const rows = await store.backfills.list({
        limit: limit + 1,
        ...(cursor === undefined ? {} : { cursor }),
        ...(status === undefined || status === ''
          ? {}
          : { statuses: statusWords(status, BackfillStatus.options, 'a backfill') }),
        ...(asset === undefined ? {} : { assetKey: asset }),
      });
      const ends = new Map<string, number | null>();
      for (const row of rows.slice(0, limit)) ends.set(row.backfillId, await endOf(row));
      return pageOf(
        rows,
        limit,
        (row) => row.backfillId,
        (row) => backfillView(row, ends.get(row.backfillId) ?? null),
      );
    },
  );

  app.post(
    '/backfills',
    {
      schema: {
        tags: ['backfills'],
        summary: 'Materializes many partitions, durably and in order',
        description:
          'Answers when the backfill is stored: it survives any restart. With `dry_run` it answers 200 with what it would do.',
        body: BackfillRequest,
        response: { 200: BackfillPreview, 202: BackfillDetail, ...problems },
      },
    },
    async (request, reply) => {
      const actor = actorOf(request);
      const asked = backfillRequest(deps.components.definitions(), request.body, actor);
      if (request.body.dry_run === true) {
        return reply.code(200).send(previewView(await backfills.preview(asked)));
      }
      const { row, created } = await once(asked.idempotencyKey, () => backfills.create(asked));
      if (created) {
        await audit(actorText(actor), 'create', row, {
          selection: request.body.selection ?? row.request.assets.slice(0, 100),
          partitions: request.body.partitions ?? { all: true },
          only: asked.only ?? null,
          full_refresh: asked.fullRefresh,
          runs: row.runs,
        });
      }
      return reply.code(202).send(backfillDetail(row, null));
    },
  );

  app.get(
    '/backfills/:id',
    {
      schema: {
        tags: ['backfills'],
        summary: 'One backfill with its assets',
        params: IdParams,
        response: { 200: BackfillDetail, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      const row = await backfillNamed(request.params.id);
      return backfillDetail(row, await endOf(row));
    },
  );

  app.get(
    '/backfills/:id/runs',
    {
      schema: {
        tags: ['backfills'],
        summary: 'Runs of a backfill in the order of submission, and what was passed over',
        params: IdParams,
        querystring: BackfillRunQuery,
        response: { 200: BackfillRunList, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      const row = await backfillNamed(request.params.id);
      const { limit = DEFAULT_RUNS, status } = request.query;
      const afterItem = decodeNumberCursor(request.query.cursor);
      const runs = await store.backfills.runs(row.backfillId, {
        limit: limit + 1,
        ...(afterItem === undefined ? {} : { afterItem }),
        ...(status === undefined || status === ''
          ? {}
          : { statuses: statusWords(status, RUN_STATUSES, 'a run of a backfill') }),
      });
      return pageOf(
        runs,
        limit,
        (run) => run.item,
        (run) => backfillRunView(row.groups, run),
      );
    },
  );

  app.get(
    '/backfills/:id/partitions/:asset',
    {
      schema: {
        tags: ['backfills'],
        summary: 'What has become of the partitions of one asset: stretches, or a matrix for two dimensions',
        params: IdParams.extend({ asset: z.string().describe('Asset key, percent-encoded') }),
        response: { 200: BackfillPartitions, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      const row = await backfillNamed(request.params.id);
      const { asset } = request.params;
      const group = row.groups.find(({ parts }) => parts.some(({ assets }) => assets.includes(asset)));
      const states = group === undefined ? null : await store.backfills.partitions(row.backfillId, asset);
      if (group === undefined || states === null) {
        throw refusal('ASSET_NOT_FOUND', `backfill ${row.backfillId} does not write "${asset}"`);
      }
      return backfillPartitions(asset, group.definition, states);
    },
  );

  for (const [action, summary] of [
    ['pause', 'Submits no new run; those under way end'],
    ['resume', 'Goes on with a paused backfill'],
    ['cancel', 'Submits no new run and cancels those under way'],
  ] as const) {
    app.post(
      `/backfills/:id/${action}`,
      {
        schema: {
          tags: ['backfills'],
          summary,
          params: IdParams,
          response: { 200: Backfill, ...problems },
        },
      },
      async (request) => {
        const by = actorText(actorOf(request));
        const before = await backfillNamed(request.params.id);
        const row = await backfills[action](before.backfillId, by);
        if (row.status !== before.status) await audit(by, action, row, {});
        return backfillView(row, await endOf(row));
      },
    );
  }

  app.post(
    '/backfills/:id/retry',
    {
      schema: {
        tags: ['backfills'],
        summary: 'A new backfill of what failed, was canceled or never ran in an ended one',
        params: IdParams,
        response: { 202: BackfillDetail, ...problems },
      },
    },
    async (request, reply) => {
      const actor = actorOf(request);
      const { backfillId: retried } = await backfillNamed(request.params.id);
      const { row, created } = await once(`retry:${retried}`, () => backfills.retryFailed(retried, actor));
      if (created) await audit(actorText(actor), 'retry', row, { retries: retried, runs: row.runs });
      return reply.code(202).send(backfillDetail(row, null));
    },
  );

  /** Whether it was this request that made the backfill, and not an earlier or a simultaneous one with its key. */
  async function once(
    key: string | undefined,
    make: () => Promise<BackfillRow>,
  ): Promise<{ readonly row: BackfillRow; readonly created: boolean }> {
    if (key === undefined) return { row: await make(), created: true };
    const twin = making.get(key);
    if (twin !== undefined) return { row: await twin, created: false };
    const made = store.backfills
      .byIdempotencyKey(key)
      .then(async (earlier) => ({ row: await make(), created: earlier === null }));
    const row = made.then((one) => one.row);
    row.catch(() => undefined);
    making.set(key, row);
    try {
      return await made;
    } finally {
      making.delete(key);
    }
  }

  async function backfillNamed(id: string): Promise<BackfillRow> {
    const row = await store.backfills.get(id);
    if (row !== null) return row;
    throw refusal('BACKFILL_NOT_FOUND', `there is no backfill "${id}"`, 'elt backfills lists them');
  }

  async function endOf(row: BackfillRow): Promise<number | null> {
    if (row.status !== 'REQUESTED' || row.submitted === 0) return null;
    const newest = await store.backfills.runs(row.backfillId, {
      afterItem: row.submitted - PACE_RUNS - 1,
      limit: PACE_RUNS,
    });
    return expectedEnd(row, newest, deps.clock.now());
  }

  function audit(
    actor: string,
    action: string,
    row: BackfillRow,
    details: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    return store.operations.audit({ actor, action: `backfill.${action}`, target: row.backfillId, details });
  }
}

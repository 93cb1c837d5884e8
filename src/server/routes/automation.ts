import { z } from 'zod';
import type { App, AppDeps } from '../app-deps.ts';
import {
  AutomationAssetList,
  AutomationEvaluationDetail,
  AutomationEvaluationList,
  AutomationEvaluationQuery,
  AutomationExplanation,
  AutomationExplanationQuery,
} from '../contract/automation.ts';
import { PageQuery } from '../contract/common.ts';
import { decodeTextCursor, pageOf } from '../cursor.ts';
import { problems } from '../openapi.ts';
import { refusal } from '../refusal.ts';
import {
  automationAsset,
  evaluationDetail,
  evaluationView,
  NO_EVALUATIONS,
  treeView,
} from '../views/automation-view.ts';
import { timestamp } from '../views/view-context.ts';

const DEFAULT_LIMIT = 50;
const DEFAULT_ASSETS = 1000;

export function automationRoutes(app: App, deps: AppDeps): void {
  const { store, automation, components } = deps;

  app.get(
    '/automation/assets',
    {
      schema: {
        tags: ['automation'],
        summary: 'Assets that run by a condition, with their newest evaluations, in the order of their keys',
        querystring: PageQuery,
        response: { 200: AutomationAssetList, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      const { limit = DEFAULT_ASSETS, cursor } = request.query;
      const after = decodeTextCursor(cursor);
      const nodes = [...components.definitions().assets.nodes.values()].filter(
        (node) => node.automation !== undefined && (after === undefined || node.key > after),
      );
      const shown = nodes.slice(0, limit + 1);
      const newest = await store.automation.newest(shown.map(({ key }) => key));
      return pageOf(
        shown,
        limit,
        (node) => node.key,
        (node) => automationAsset(node, newest.get(node.key) ?? NO_EVALUATIONS)!,
      );
    },
  );

  app.get(
    '/automation/evaluations',
    {
      schema: {
        tags: ['automation'],
        summary: 'Evaluations that asked for something or remembered something new, newest first',
        querystring: AutomationEvaluationQuery,
        response: { 200: AutomationEvaluationList, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      const { limit = DEFAULT_LIMIT, asset, requested } = request.query;
      const cursor = decodeTextCursor(request.query.cursor);
      const rows = await store.automation.evaluations({
        limit: limit + 1,
        ...(asset === undefined ? {} : { assetKey: asset }),
        ...(cursor === undefined ? {} : { cursor }),
        requestedOnly: requested === 'true',
      });
      return pageOf(rows, limit, (row) => row.evaluationId, evaluationView);
    },
  );

  app.get(
    '/automation/evaluations/:id',
    {
      schema: {
        tags: ['automation'],
        summary: 'One evaluation with the tree of its results',
        params: z.object({ id: z.string().describe('Percent-encoded') }),
        response: { 200: AutomationEvaluationDetail, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      const row = await store.automation.evaluation(request.params.id);
      if (row === null) {
        throw refusal(
          'EVALUATION_NOT_FOUND',
          `there is no evaluation ${request.params.id}`,
          'evaluations are kept for 30 days, the newest of each asset and the newest that requested something for ever',
        );
      }
      return evaluationDetail(row);
    },
  );

  app.get(
    '/assets/:key/explanation',
    {
      schema: {
        tags: ['automation'],
        summary: 'Why an asset ran or did not, and what its condition says now, of one partition if asked',
        params: z.object({ key: z.string().describe('Asset key, percent-encoded') }),
        querystring: AutomationExplanationQuery,
        response: { 200: AutomationExplanation, ...problems },
      },
    },
    async (request) => {
      const { key } = request.params;
      const now = await automation.explain(key, request.query.partition ?? null);
      const node = components.definitions().assets.nodes.get(key)!;
      const newest = (await store.automation.newest([key])).get(key) ?? NO_EVALUATIONS;
      const latest =
        newest.latest === null ? null : await store.automation.evaluation(newest.latest.evaluationId);
      return {
        asset_key: key,
        automation: automationAsset(node, newest),
        latest: latest === null ? null : evaluationDetail(latest),
        now:
          now === null
            ? null
            : {
                at: timestamp(now.at),
                partition: now.partition,
                requested: now.requested,
                tree: treeView(now.tree),
              },
      };
    },
  );
}

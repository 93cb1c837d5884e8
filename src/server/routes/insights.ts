import { z } from 'zod';
import { insightsCsv } from '../../insights/insights-csv.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { InsightsQuery, InsightsReport } from '../contract/insights.ts';
import { problems } from '../openapi.ts';
import { insightsView, readInsights } from '../views/insights-view.ts';

/** Rows, bytes, durations, success, lateness and cost of the last days. */
export function insightsRoutes(app: App, deps: AppDeps): void {
  app.get(
    '/insights',
    {
      schema: {
        tags: ['insights'],
        summary: 'What runs did in the last days, by asset, group or owner, beside as many days before',
        querystring: InsightsQuery,
        response: { 200: InsightsReport, ...problems },
      },
      config: { etag: 'body' },
    },
    async (request) => insightsView(await readInsights(deps, request.query)),
  );

  app.get(
    '/insights.csv',
    {
      schema: {
        tags: ['insights'],
        summary: 'The same as a table: a line for each item',
        querystring: InsightsQuery,
        response: { 200: { content: { 'text/csv': { schema: z.string() } } }, ...problems },
      },
    },
    async (request, reply) => {
      const { by, fromDay, toDay, report } = await readInsights(deps, request.query);
      const name = `insights-by-${by}-${toDay - fromDay}-days.csv`;
      return reply
        .header('content-type', 'text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="${name}"`)
        .send(insightsCsv(report));
    },
  );
}

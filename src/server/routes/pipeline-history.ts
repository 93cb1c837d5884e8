import { z } from 'zod';
import { OperationalError } from '../../lib/errors.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { PipelineHistory } from '../contract/history.ts';
import { problems } from '../openapi.ts';
import { refusal } from '../refusal.ts';
import { pipelineHistory } from '../views/history-view.ts';
import { viewContext } from '../views/view-context.ts';

const COUNTED_RUNS = 400;

/** The commits that changed one pipeline, what each changed, and the runs on it. */
export function pipelineHistoryRoutes(app: App, deps: AppDeps): void {
  app.get(
    '/components/:name/pipelines/:pipeline/history',
    {
      schema: {
        tags: ['git'],
        summary: 'Commits that changed a pipeline, with what they changed and the runs made on each',
        params: z.object({ name: z.string(), pipeline: z.string() }),
        response: { 200: PipelineHistory, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      const { name, pipeline } = request.params;
      if (deps.components.component(name) === null) {
        throw new OperationalError('COMPONENT_UNKNOWN', `there is no component "${name}"`);
      }
      const [revisions, runs] = await Promise.all([
        deps.store.history.pipelineRevisions(name, pipeline),
        deps.store.history.pipelineRuns(name, pipeline, COUNTED_RUNS),
      ]);
      if (revisions.length === 0) {
        throw refusal('REVISION_NOT_FOUND', `no revision of ${name} has a pipeline "${pipeline}"`);
      }
      return pipelineHistory(viewContext(deps), revisions, runs);
    },
  );
}

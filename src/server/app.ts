import cookie from '@fastify/cookie';
import swagger from '@fastify/swagger';
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { OperationalError } from '../lib/errors.ts';
import { uuidv7 } from '../lib/ids.ts';
import type { App, AppDeps } from './app-deps.ts';
import { registerAuth } from './auth.ts';
import { registerEtags } from './etag.ts';
import { type EventStreams, eventStreamRoute } from './event-stream.ts';
import { registerHostCheck } from './host-check.ts';
import { loginRoutes } from './login-page.ts';
import { openapiOptions } from './openapi.ts';
import { handleError } from './problem.ts';
import { alertRoutes } from './routes/alerts.ts';
import { assetHistoryRoutes } from './routes/asset-history.ts';
import { assetRoutes } from './routes/assets.ts';
import { auditRoutes } from './routes/audit.ts';
import { automationRoutes } from './routes/automation.ts';
import { backfillRoutes } from './routes/backfills.ts';
import { componentRoutes } from './routes/components.ts';
import { controlRoutes } from './routes/controls.ts';
import { doctorRoutes } from './routes/doctor.ts';
import { healthRoutes } from './routes/health.ts';
import { insightsRoutes } from './routes/insights.ts';
import { instanceRoutes } from './routes/instance.ts';
import { partitionKeyRoutes } from './routes/partition-keys.ts';
import { pipelineHistoryRoutes } from './routes/pipeline-history.ts';
import { pipelineRoutes } from './routes/pipelines.ts';
import { planRoutes } from './routes/plans.ts';
import { runRoutes } from './routes/runs.ts';
import { scheduleRoutes } from './routes/schedules.ts';
import { timelineRoutes } from './routes/timeline.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import { registerSecurityHeaders } from './security-headers.ts';
import { staticPage } from './static-page.ts';

/** A launch may name 100,000 partitions. */
const LARGEST_BODY = 8 * 1024 * 1024;
/** A request has to arrive whole within this time (fault W3); answers may take longer. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Keys are paths of any depth, and percent-encoded. */
const LONGEST_PARAM = 4096;
/** What a closing server still waits for requests that are under way. */
const CLOSE_GRACE_MS = 3000;

/** The HTTP surface over the service: API, event stream, webhooks, health, page. It holds no rules of the business. */
export function createApp(deps: AppDeps): FastifyInstance {
  const logger: FastifyBaseLogger = deps.logger;
  const app = fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: LARGEST_BODY,
    requestTimeout: REQUEST_TIMEOUT_MS,
    return503OnClosing: false,
    routerOptions: { maxParamLength: LONGEST_PARAM },
    genReqId: () => uuidv7(deps.clock.now()),
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(handleError);
  registerDraining(app);
  registerSecurityHeaders(app);
  registerHostCheck(app, deps.settings);
  if (deps.settings.apiToken !== null) registerAuth(app, deps.settings.apiToken);
  void app.register(cookie);
  void app.register(swagger, openapiOptions(deps.version));
  void app.register((scope: FastifyInstance, _options: object, done: () => void) => {
    routes(scope.withTypeProvider<ZodTypeProvider>(), deps);
    done();
  });
  staticPage(app, { uiDir: deps.uiDir, root: deps.settings.root });
  return app;
}

function routes(app: App, deps: AppDeps): void {
  const { apiToken } = deps.settings;
  let streams: EventStreams = { clients: () => 0, end: () => undefined };
  if (apiToken !== null) loginRoutes(app, apiToken);
  registerEtags(app, deps);
  webhookRoutes(app, deps);
  void app.register(
    (scope: FastifyInstance, _options: object, done: () => void) => {
      const api = scope.withTypeProvider<ZodTypeProvider>();
      assetRoutes(api, deps);
      assetHistoryRoutes(api, deps);
      partitionKeyRoutes(api, deps);
      scheduleRoutes(api, deps);
      runRoutes(api, deps);
      timelineRoutes(api, deps);
      automationRoutes(api, deps);
      backfillRoutes(api, deps);
      alertRoutes(api, deps);
      componentRoutes(api, deps);
      pipelineHistoryRoutes(api, deps);
      controlRoutes(api, deps);
      pipelineRoutes(api, deps);
      planRoutes(api, deps);
      instanceRoutes(api, deps);
      doctorRoutes(api, deps);
      auditRoutes(api, deps);
      insightsRoutes(api, deps);
      streams = eventStreamRoute(api, deps);
      done();
    },
    { prefix: '/api/v1' },
  );
  healthRoutes(app, deps, { clients: () => streams.clients() });
  app.get('/api/openapi.json', { schema: { hide: true } }, () => app.swagger());
  app.addHook('preClose', (done) => {
    app.startDraining();
    streams.end();
    // A request that never ends must not keep the service from ending.
    setTimeout(() => app.server.closeAllConnections(), CLOSE_GRACE_MS).unref();
    done();
  });
}

function registerDraining(app: App): void {
  let draining = false;
  app.decorate('startDraining', () => {
    draining = true;
  });
  app.decorate('isDraining', () => draining);
  app.addHook('onRequest', (request, _reply, done) => {
    const changes = request.method !== 'GET' && request.method !== 'HEAD';
    done(
      draining && changes
        ? new OperationalError('SHUTTING_DOWN', 'the service is shutting down and takes no changes', {
            hint: 'try again when it has started',
          })
        : undefined,
    );
  });
}

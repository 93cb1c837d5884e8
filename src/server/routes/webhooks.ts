import { receiveWebhook } from '../../component/receive-webhook.ts';
import { LARGEST_WEBHOOK_BODY, readWebhook } from '../../github/webhook.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { WebhookResponse } from '../contract/system.ts';
import { problems } from '../openapi.ts';
import { problemOf, sendProblem } from '../problem.ts';
import { refusal } from '../refusal.ts';

/**
 * Deliveries of the Git host. The signature is of the raw bytes, so nothing parses them before it is checked; what is
 * unsigned is refused before its body is read (fault W3).
 */
export function webhookRoutes(app: App, deps: AppDeps): void {
  void app.register((scope: App, _options: object, done: () => void) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      '*',
      { parseAs: 'buffer', bodyLimit: LARGEST_WEBHOOK_BODY },
      (_request, body, parsed) => parsed(null, body),
    );
    scope.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
      if (error.statusCode !== 413) throw error;
      return sendProblem(reply, problemOf('WEBHOOK_BODY_TOO_LARGE', 'the body is larger than 25 MB'));
    });
    scope.addHook('onRequest', (request, _reply, next) => {
      const { webhookSecret } = deps.settings;
      const unsigned = webhookSecret !== null && request.headers['x-hub-signature-256'] === undefined;
      next(
        unsigned
          ? refusal('WEBHOOK_SIGNATURE_INVALID', 'the header X-Hub-Signature-256 is missing')
          : undefined,
      );
    });
    for (const url of ['/webhooks/github', '/webhook']) {
      scope.post(
        url,
        {
          bodyLimit: LARGEST_WEBHOOK_BODY,
          schema: {
            tags: ['git'],
            summary: 'A delivery of a GitHub webhook: push, pull request, ping',
            description:
              '`X-Hub-Signature-256` over the raw bytes, JSON or a form. Answers at once; the refresh follows.',
            response: { 200: WebhookResponse, 202: WebhookResponse, ...problems },
          },
        },
        async (request, reply) => {
          const event = await readWebhook({
            headers: request.headers,
            body: Buffer.isBuffer(request.body) ? request.body : new Uint8Array(),
            secret: deps.settings.webhookSecret,
          });
          const { status, ...answer } = await receiveWebhook(event, {
            ...deps,
            log: deps.logger,
            ...(deps.onPlanQueued === undefined ? {} : { onQueued: deps.onPlanQueued }),
          });
          if (answer.components.length > 0) {
            await deps.store.operations.audit({
              actor: `webhook:${event.delivery}`,
              action: answer.outcome === 'planning' ? 'component.plan' : 'component.refresh',
              target: answer.components.join(', '),
              details: { event: event.kind },
            });
          }
          return reply.code(status).send({ ...answer, components: [...answer.components] });
        },
      );
    }
    done();
  });
}

import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { opaqueId } from '../lib/ids.ts';
import type { AppDeps } from './app-deps.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * `log`: the answer follows from the event log, the definitions and the minute, and a repeated request costs
     * nothing. `body`: of the answer's bytes, for what changes without an event.
     */
    etag?: 'log' | 'body';
  }
}

const MINUTE_MS = 60_000;

/** Weak ETags on GET, answered with 304 when the client has that version. */
export function registerEtags(
  app: FastifyInstance,
  deps: Pick<AppDeps, 'store' | 'components' | 'clock'>,
): void {
  // Another process may be another release with other views.
  const nonce = opaqueId().slice(0, 8);

  app.addHook('preHandler', async (request, reply) => {
    if (request.method !== 'GET' || request.routeOptions.config.etag !== 'log') return;
    const tag = `W/"${nonce}-${await version()}"`;
    reply.header('etag', tag);
    if (isKnown(request, tag)) await unchanged(reply);
  });

  app.addHook('onSend', async (request, reply, payload: unknown) => {
    if (request.method !== 'GET' || request.routeOptions.config.etag !== 'body') return payload;
    if (reply.statusCode !== 200 || typeof payload !== 'string') return payload;
    const tag = `W/"${createHash('sha256').update(payload).digest('base64url').slice(0, 22)}"`;
    reply.header('etag', tag);
    if (!isKnown(request, tag)) return payload;
    reply.code(304).removeHeader('content-length');
    return '';
  });

  /** Crons have minutes: which partitions exist and when the next tick is moves with them, without an event. */
  async function version(): Promise<string> {
    const definitions = deps.components.definitions();
    const revisions = definitions.sources.map((source) => source.revisionId).join('.');
    const minute = Math.floor(deps.clock.now() / MINUTE_MS);
    return `${await deps.store.lastEventId()}-${definitions.digest.slice(-12)}-${revisions}-${minute}`;
  }
}

function isKnown(request: FastifyRequest, tag: string): boolean {
  const known = request.headers['if-none-match'];
  return known !== undefined && known.split(',').some((one) => one.trim() === tag);
}

async function unchanged(reply: FastifyReply): Promise<void> {
  await reply.code(304).send();
}

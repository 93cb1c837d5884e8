import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type {} from '@fastify/cookie';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { OperationalError } from '../lib/errors.ts';
import { pathOf } from './problem.ts';

export const SESSION_COOKIE = 'elt_session';

/** Signed by other means (the webhook), needed by probes, or the way to a session. */
const OPEN: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/webhook', '/webhooks/github', '/login']);

/** What the cookie of the login page holds: derived from the token, so that it dies with it and does not reveal it. */
export function sessionOf(token: string): string {
  return createHmac('sha256', token).update('elt page session 1').digest('base64url');
}

/** Takes the same time wherever the texts differ, and whatever their lengths. */
export function equalSecrets(a: string, b: string): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());
}

/** With `ELT_API_TOKEN` set every route but the open ones needs it: as bearer, or as the login page's cookie. */
export function registerAuth(app: FastifyInstance, token: string): void {
  const session = sessionOf(token);
  app.addHook('onRequest', (request, reply, done) => {
    if (OPEN.has(pathOf(request.url)) || isKnown(request)) done();
    else if (isPageVisit(request)) redirectToLogin(request, reply);
    else {
      reply.header('www-authenticate', 'Bearer');
      done(
        new OperationalError('UNAUTHORIZED', 'this request has no valid token', {
          hint: 'send "Authorization: Bearer <ELT_API_TOKEN>"; the CLI reads ELT_API_TOKEN',
        }),
      );
    }
  });

  function isKnown(request: FastifyRequest): boolean {
    const bearer = /^bearer\s+(.+?)\s*$/i.exec(request.headers.authorization ?? '')?.[1];
    if (bearer !== undefined) return equalSecrets(bearer, token);
    const cookie = request.server.parseCookie(request.headers.cookie ?? '')[SESSION_COOKIE];
    return cookie !== undefined && equalSecrets(cookie, session);
  }
}

function isPageVisit(request: FastifyRequest): boolean {
  return (
    request.method === 'GET' &&
    !request.url.startsWith('/api/') &&
    (request.headers.accept ?? '').includes('text/html')
  );
}

function redirectToLogin(request: FastifyRequest, reply: FastifyReply): void {
  void reply.redirect(`/login?next=${encodeURIComponent(request.url)}`, 302);
}

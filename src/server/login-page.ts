import { createHash } from 'node:crypto';
import type {} from '@fastify/cookie';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { equalSecrets, SESSION_COOKIE, sessionOf } from './auth.ts';
import { contentSecurityPolicy } from './security-headers.ts';

const STYLE =
  ':root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}' +
  'main{max-width:22rem;margin:15vh auto;padding:0 1rem}' +
  'h1{font-size:1.25rem}label,input,button{display:block;width:100%;box-sizing:border-box;font:inherit}' +
  'input,button{padding:.5rem;margin:.25rem 0 1rem;min-height:44px}' +
  'p[role=alert]{border-left:4px solid;padding-left:.5rem}';
const STYLE_HASH = `'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`;
const ONE_YEAR_S = 365 * 24 * 3600;
const LARGEST_FORM = 4096;

/** The way to a session for people: one field, no script. Only there when a token is set. */
export function loginRoutes(app: FastifyInstance, token: string): void {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: LARGEST_FORM },
    (_request, body, done) => done(null, new URLSearchParams(String(body))),
  );

  app.get('/login', { schema: { hide: true } }, (request, reply) => {
    const { next } = request.query as { next?: unknown };
    return page(reply, localPath(next), false);
  });

  app.post('/login', { schema: { hide: true } }, (request, reply) => {
    const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
    const next = localPath(form.get('next'));
    if (!equalSecrets((form.get('token') ?? '').trim(), token)) return page(reply.code(401), next, true);
    reply.setCookie(SESSION_COOKIE, sessionOf(token), {
      path: '/',
      httpOnly: true,
      sameSite: 'strict',
      secure: request.protocol === 'https',
      maxAge: ONE_YEAR_S,
    });
    return reply.redirect(next, 303);
  });
}

/** Only paths of this server: `//host` and `/\host` are addresses of others. */
export function localPath(next: unknown): string {
  return typeof next === 'string' && /^\/(?![/\\])[^\\\r\n]*$/.test(next) && !next.startsWith('/login')
    ? next
    : '/';
}

function page(reply: FastifyReply, next: string, failed: boolean): FastifyReply {
  return reply
    .header('content-security-policy', contentSecurityPolicy({ styles: [STYLE_HASH] }))
    .header('cache-control', 'no-store')
    .type('text/html; charset=utf-8')
    .send(
      `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sign in · elt</title>` +
        `<meta name="viewport" content="width=device-width"><style>${STYLE}</style></head><body><main>` +
        `<h1>This service asks for its token</h1>` +
        (failed ? '<p role="alert">That is not the token.</p>' : '') +
        `<form method="post" action="/login"><label for="token">ELT_API_TOKEN</label>` +
        `<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>` +
        `<input type="hidden" name="next" value="${escapeHtml(next)}">` +
        `<button type="submit">Sign in</button></form></main></body></html>`,
    );
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

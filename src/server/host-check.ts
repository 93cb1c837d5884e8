import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Settings } from '../config/settings.ts';
import { OperationalError } from '../lib/errors.ts';
import { pathOf } from './problem.ts';

/** Probes and Git hosts come by address; what these routes show or do is not for a browser. */
const EXEMPT: ReadonlySet<string> = new Set([
  '/healthz',
  '/readyz',
  '/metrics',
  '/webhook',
  '/webhooks/github',
]);

/**
 * Against DNS rebinding and requests of other sites: the `Host` has to be a loopback name, one of `ELT_ALLOWED_HOSTS` or
 * the host of `ELT_PUBLIC_URL`; an `Origin` has to be this very server (another port is another program).
 */
export function registerHostCheck(app: FastifyInstance, settings: Settings): void {
  const names = new Set(['localhost', '127.0.0.1', '[::1]', ...settings.allowedHosts.map(nameOf)]);
  const publicUrl = URL.parse(settings.publicUrl);
  if (publicUrl !== null) names.add(publicUrl.hostname.toLowerCase());
  const allowed = new Set(settings.allowedHosts.map((host) => host.toLowerCase()));

  app.addHook('onRequest', (request, _reply, done) => {
    done(EXEMPT.has(pathOf(request.url)) ? undefined : refusal(request));
  });

  function refusal(request: FastifyRequest): OperationalError | undefined {
    const host = (request.headers.host ?? '').toLowerCase();
    if (!names.has(nameOf(host))) {
      return new OperationalError('FORBIDDEN_HOST', `Host "${printable(host)}" is not allowed`, {
        hint: `if this is your server's name, set ELT_ALLOWED_HOSTS=${printable(nameOf(host))}`,
      });
    }
    const { origin } = request.headers;
    if (origin === undefined || isOwnOrigin(origin, host)) return undefined;
    return new OperationalError('FORBIDDEN_HOST', `Origin "${printable(origin)}" is not allowed`);
  }

  function isOwnOrigin(text: string, host: string): boolean {
    const origin = URL.parse(text);
    if (origin === null || origin.host === '') return false;
    const ofPublicUrl = publicUrl !== null && origin.origin === publicUrl.origin;
    return origin.host === host || ofPublicUrl || allowed.has(origin.host) || allowed.has(origin.hostname);
  }
}

/** `Example.com:3000` → `example.com`; `[::1]:3000` → `[::1]`. */
function nameOf(host: string): string {
  return host.trim().toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '');
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 100);
}

import type { FastifyInstance } from 'fastify';
import { checkBinding } from '../config/load-settings.ts';
import type { Settings } from '../config/settings.ts';
import { OperationalError } from '../lib/errors.ts';
import { portHolder } from './port-holder.ts';
import { refusal } from './refusal.ts';

/**
 * Binds the app; resolves to its URL.
 * @throws `BIND_WITHOUT_TOKEN` for another address than loopback without a token, `PORT_IN_USE` with its holder
 */
export async function listen(
  app: FastifyInstance,
  settings: Pick<Settings, 'host' | 'port' | 'apiToken'>,
): Promise<string> {
  const { host, port } = settings;
  const refused = checkBinding(settings);
  if (refused !== null) {
    throw refusal('BIND_WITHOUT_TOKEN', refused.message, refused.hint);
  }
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw await explained(error, host, port);
  }
  const address = app.server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return `http://${urlName(host)}:${bound}`;
}

function urlName(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

async function explained(error: unknown, host: string, port: number): Promise<unknown> {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'EADDRINUSE') {
    const holder = await portHolder(host, port);
    return new OperationalError('PORT_IN_USE', `port ${port} on ${host} is held by ${holder}`, {
      hint: `use another one (--port ${port + 1}), or any free one (--port 0)`,
      cause: error,
    });
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    const why =
      code === 'EACCES' ? `port ${port} needs more rights` : `${host} is no address of this machine`;
    return new OperationalError('SETTING_INVALID', `cannot listen on ${host}:${port}: ${why}`, {
      hint: 'set ELT_HOST and ELT_PORT, or --host and --port',
      cause: error,
    });
  }
  return error;
}

import { readFile } from 'node:fs/promises';
import { createLogger } from '../lib/log.ts';
import { createApp } from './app.ts';
import type { AppDeps } from './app-deps.ts';

/** The OpenAPI document as `docs/openapi.json` holds it: from the routes alone, nothing behind them is needed. */
export async function openapiDocument(): Promise<string> {
  const root = new URL('../..', import.meta.url);
  const { version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as {
    version: string;
  };
  const settings = { apiToken: null, webhookSecret: null, allowedHosts: [], publicUrl: '', root: '' };
  const nothing = {
    settings,
    store: { subscribe: () => () => undefined },
    clock: { now: () => 0 },
    logger: createLogger('silent'),
    version,
    uiDir: null,
  };
  const app = createApp(nothing as unknown as AppDeps);
  await app.ready();
  const document = app.swagger();
  await app.close();
  return `${JSON.stringify(document, null, 2)}\n`;
}

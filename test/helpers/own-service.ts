import { loadSettings } from '../../src/config/load-settings.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { createLogger } from '../../src/lib/log.ts';
import { createService, type Service } from '../../src/main.ts';
import { clientOf, ROOT, type ServiceClient, TEST_CACHE } from './service.ts';

export interface OwnServiceOptions {
  readonly home: string;
  readonly repo: string;
  readonly clock: Clock;
  /** Variables beside those that name home and repository. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface OwnService extends Service {
  readonly client: ServiceClient;
}

/** The whole service inside the test's process, where its clock can be another one. Its steps are real processes. */
export async function ownService({ home, repo, clock, env: more }: OwnServiceOptions): Promise<OwnService> {
  process.env.ELT_CACHE_DIR = TEST_CACHE;
  const own = Object.entries(process.env).filter(
    ([name]) => !/^ELT_(?!CACHE_DIR$)|^GITHUB_TOKEN$/.test(name),
  );
  const env = { ...Object.fromEntries(own), ELT_HOME: home, ELT_REPO_URL: repo, ELT_PORT: '0', ...more };
  const loaded = loadSettings({ root: ROOT, cwd: home, env });
  if (!('ok' in loaded)) throw new Error(JSON.stringify(loaded.diagnostics));
  const service = await createService({
    settings: loaded.ok,
    logger: createLogger('error'),
    serve: true,
    daemons: true,
    clock,
  });
  return { ...service, client: clientOf(service.url!) };
}

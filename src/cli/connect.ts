import { userInfo } from 'node:os';
import type { Settings } from '../config/settings.ts';
import type { SettingOverrides } from '../config/variables.ts';
import { formatDiagnostic } from '../lib/diagnostics.ts';
import { type Backend, embeddedBackend, httpBackend } from './backend.ts';
import { CliError } from './cli-error.ts';
import { type Client, createClient } from './client.ts';
import type { CliContext } from './context.ts';

const PROBE_MS = 2000;

/**
 * The client of a command: of the service that `--url`, `ELT_URL` or `ELT_HOME/service.json` names, else of an app in
 * this process, which holds the lock of ELT_HOME until `close`.
 */
export async function withClient(
  context: CliContext,
  command: (client: Client) => Promise<number>,
): Promise<number> {
  const client = createClient(await connect(context));
  try {
    return await command(client);
  } finally {
    await client.backend.close();
  }
}

/** Settings as files, environment and flags say. @throws `SETTING_INVALID` with every mistake */
export async function settingsOf(
  context: CliContext,
  overrides: SettingOverrides = {},
): Promise<{ settings: Settings; origins: ReadonlyMap<string, string> }> {
  const { loadSettings } = await import('../config/load-settings.ts');
  const { home } = context.options;
  const loaded = loadSettings({
    root: context.root,
    cwd: context.cwd,
    env: process.env,
    overrides: { ...(home === undefined ? {} : { ELT_HOME: home }), ...overrides },
  });
  if ('diagnostics' in loaded) {
    throw new CliError('SETTING_INVALID', 'the settings cannot be used', { diagnostics: loaded.diagnostics });
  }
  for (const warning of loaded.warnings) context.note(formatDiagnostic(warning));
  return { settings: loaded.ok, origins: loaded.origins };
}

/** A running service of this ELT_HOME, or null. */
export async function runningService(
  settings: Pick<Settings, 'home'>,
): Promise<{ url: string; token: string | null; pid: number } | null> {
  const { readServiceFile } = await import('../server/service-file.ts');
  const file = await readServiceFile(settings.home);
  if (file === null || !isAlive(file.pid) || !(await answers(file.url))) return null;
  return file;
}

async function connect(context: CliContext): Promise<Backend> {
  const actor = actorOf();
  const named = context.options.url ?? context.env['ELT_URL'];
  if (named !== undefined && named !== '') {
    return httpBackend(named, { actor, token: context.env['ELT_API_TOKEN'] ?? null });
  }
  const { settings } = await settingsOf(context);
  const service = await runningService(settings);
  if (service !== null) return httpBackend(service.url, { actor, token: service.token });
  return embedded(context, settings, actor);
}

async function embedded(context: CliContext, settings: Settings, actor: string): Promise<Backend> {
  const [{ createService }, { createLogger }] = await Promise.all([
    import('../main.ts'),
    import('../lib/log.ts'),
  ]);
  const logger = createLogger(context.debug ? 'debug' : 'silent');
  const service = await createService({ settings, logger, serve: false, daemons: false });
  for (const { name, snapshot } of service.components.components()) {
    if (snapshot === null) await service.components.requestRefresh(name, { kind: 'startup' });
  }
  return embeddedBackend(
    service.app,
    { actor, token: settings.apiToken },
    { carryOn: () => service.carryOnBackfills(), close: () => service.close() },
  );
}

/** As the audit log and the run's cause name whoever typed the command. */
function actorOf(): string {
  const name = userName()
    .replace(/[^\w.@+-]/g, '_')
    .slice(0, 64);
  return `cli:${name === '' ? 'unknown' : name}`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env['USER'] ?? '';
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(PROBE_MS) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

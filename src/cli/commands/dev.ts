import { flushCompileCache } from 'node:module';
import { join, relative as relativePath, resolve } from 'node:path';
import type { ComponentStatus } from '../../component/component.ts';
import type { Settings } from '../../config/settings.ts';
import type { SettingOverrides } from '../../config/variables.ts';
import { EXIT } from '../../lib/errors.ts';
import type { Service } from '../../main.ts';
import { nextTick } from '../../partitions/cron.ts';
import { CliError } from '../cli-error.ts';
import { runningService, settingsOf } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { inZone, plural, relative } from '../format.ts';
import { painter, printable } from '../render.ts';

/** A burst of events is looked at once. */
const TELL_MS = 250;
const BAD: ReadonlySet<string> = new Set(['FetchFailed', 'Stalled']);

export interface DevOptions {
  readonly port?: string;
  readonly host?: string;
  readonly repo?: string;
  readonly branch?: string;
  readonly daemons: boolean;
  readonly watch: boolean;
}

/** `elt dev`: service, daemons and page until Ctrl+C or SIGTERM. */
export async function dev(
  context: CliContext,
  port: string | undefined,
  options: DevOptions,
): Promise<number> {
  const { settings, origins } = await settingsOf(context, overridesOf(context, port, options));
  const other = await runningService(settings);
  if (other !== null) {
    throw new CliError(
      'HOME_LOCKED',
      `a service of this ELT_HOME runs already: ${other.url}, pid ${other.pid}`,
      {
        hint: `use it, end it with "kill ${other.pid}", or set another ELT_HOME`,
      },
    );
  }
  const [{ createService }, { createLogger }] = await Promise.all([
    import('../../main.ts'),
    import('../../lib/log.ts'),
  ]);
  // On a terminal the log of a healthy service would bury the address, unless it was asked for.
  const isQuiet = context.interactive && origins.get('ELT_LOG_LEVEL') === 'default';
  const logger = createLogger(context.debug ? 'debug' : isQuiet ? 'warn' : settings.logLevel);
  const { daemons } = options;
  const service = await createService({
    settings,
    logger,
    serve: true,
    daemons,
    watch: daemons && options.watch,
  });
  const stopped = untilSignal(context, service);
  announce(context, service, settings);
  // Node keeps what it compiled when it ends; a service is often killed.
  flushCompileCache();
  if (!daemons) await firstRefresh(service);
  return stopped;
}

/** Nobody looks at Git by itself here: what was never fetched is fetched once. */
async function firstRefresh({ components }: Service): Promise<void> {
  const empty = components.components().filter((status) => status.snapshot === null);
  await Promise.all(empty.map(({ name }) => components.requestRefresh(name, { kind: 'startup' })));
}

function overridesOf(context: CliContext, port: string | undefined, options: DevOptions): SettingOverrides {
  const chosen = options.port ?? port;
  if (chosen !== undefined && !(/^\d{1,5}$/.test(chosen) && Number(chosen) <= 65_535)) {
    throw new CliError('REQUEST_INVALID', `"${chosen}" is no port`, {
      hint: 'use a number from 0 to 65535; 0: any free one',
    });
  }
  const { repo } = options;
  return {
    ...(chosen === undefined ? {} : { ELT_PORT: chosen }),
    ...(options.host === undefined ? {} : { ELT_HOST: options.host }),
    ...(repo === undefined ? {} : { ELT_REPO_URL: isPath(repo) ? resolve(context.cwd, repo) : repo }),
    ...(options.branch === undefined ? {} : { ELT_REPO_BRANCH: options.branch }),
  };
}

function isPath(repo: string): boolean {
  return !repo.includes('://') && !/^[\w.-]+@[\w.-]+:/.test(repo);
}

/** The address at once; what it serves as soon as that is known. */
function announce(
  context: CliContext,
  service: Service,
  { demo, home }: Pick<Settings, 'demo' | 'home'>,
): void {
  if (context.json) {
    context.out(JSON.stringify({ url: service.url, pid: process.pid, version: service.version }));
    return;
  }
  const paint = painter(context.color);
  context.out(`${paint('bold', service.url ?? '')}  elt ${service.version}`);
  const told = new Map<string, string>();
  const tell = (): void => {
    for (const status of service.components.components()) {
      const line = componentLine(status);
      if (line === null || told.get(status.name) === line) continue;
      const first = status.snapshot !== null && !told.has(status.name);
      told.set(status.name, line);
      context.out(status.snapshot === null ? line : `${line}; ${nextTickText(service, status.name)}`);
      if (first && demo) context.out(demoLines(paint, relativePath(context.cwd, join(home, 'demo'))));
    }
  };
  tell();
  let timer: NodeJS.Timeout | null = null;
  service.store.subscribe(() => {
    timer ??= setTimeout(() => {
      timer = null;
      tell();
    }, TELL_MS).unref();
  });
}

function componentLine(status: ComponentStatus): string | null {
  const { snapshot } = status;
  const bad = status.conditions.find(({ type, status: value }) => BAD.has(type) && value === 'True');
  if (snapshot === null) {
    return bad === undefined ? null : `${printable(status.repoUrl)}: ${bad.reason} ${printable(bad.message)}`;
  }
  const disabled = snapshot.pipelines.filter((pipeline) => !pipeline.config.enabled).length;
  const held = snapshot.pipelines.filter((pipeline) => pipeline.status === 'held').length;
  const errors = snapshot.diagnostics.filter((diagnostic) => diagnostic.severity === 'error').length;
  const counts = [
    plural(snapshot.pipelines.length, 'pipeline'),
    disabled > 0 ? `${disabled} disabled` : '',
    held > 0 ? `${held} held at their last good revision` : '',
    plural(
      snapshot.pipelines.reduce((sum, pipeline) => sum + pipeline.assets.length, 0),
      'asset',
    ),
    errors > 0 ? `${plural(errors, 'error')}: elt status` : '',
    bad === undefined ? '' : `${bad.reason} ${printable(bad.message)}`,
  ];
  const commit =
    snapshot.repo.commit.slice(0, 7) + (snapshot.repo.uncommitted === true ? ' uncommitted' : '');
  return `${printable(status.repoUrl)}@${commit} (${printable(status.ref)}): ${counts.filter(Boolean).join(', ')}`;
}

function nextTickText({ components }: Service, component: string): string {
  const definitions = components.definitions();
  let next: { at: number; zone: string; name: string } | null = null;
  for (const { name, config, ...schedule } of definitions.schedules.values()) {
    if (schedule.component !== component || config.defaultStatus !== 'RUNNING') continue;
    const at = nextTick(config.cron, config.timezone, Date.now(), { inclusive: false });
    if (at !== null && (next === null || at < next.at)) next = { at, zone: config.timezone, name };
  }
  return next === null ? 'no tick to come' : tickText(next);
}

function tickText({ at, zone, name }: { at: number; zone: string; name: string }): string {
  const text = new Date(at).toISOString();
  return `next tick ${relative(text, Date.now())}, ${inZone(text, zone)} (${name})`;
}

/** Four lines for another terminal: a disabled pipeline comes to life on the page. */
function demoLines(paint: ReturnType<typeof painter>, folder: string): string {
  return [
    paint('dim', 'This is the demo. Push a change to it from another terminal, and watch the page:'),
    `  cd ${folder}`,
    "  sed -i.bak 's/enabled: false/enabled: true/' pipelines/python/shop_newsletter/dagster.yaml",
    '  git commit -am "Send the newsletter"',
    '  git push',
  ].join('\n');
}

/**
 * The first Ctrl+C (or SIGTERM) ends the service; running steps are left to the next start. A second one ends the process
 * at once.
 */
function untilSignal(context: CliContext, service: Service): Promise<number> {
  return new Promise((resolveExit, reject) => {
    let closing = false;
    const listener = (signal: NodeJS.Signals): void => {
      if (closing) process.exit(EXIT.interrupted);
      closing = true;
      stop(context, service, signal).then(resolveExit, reject);
    };
    process.on('SIGINT', listener);
    process.on('SIGTERM', listener);
  });
}

async function stop(context: CliContext, service: Service, signal: NodeJS.Signals): Promise<number> {
  service.app.startDraining();
  const leases = await service.store.steps.leases();
  const names = [...new Set(leases.map((lease) => lease.ref.stepKey))].join(', ');
  context.note(
    leases.length === 0
      ? 'ending: no step is running'
      : `ending; ${plural(leases.length, 'step')} (${names}) ${leases.length === 1 ? 'goes' : 'go'} on without the service: the next start takes over, after 10 minutes without one ${leases.length === 1 ? 'it is' : 'they are'} ended`,
  );
  await service.close({ endSteps: false });
  return signal === 'SIGINT' ? EXIT.interrupted : EXIT.ok;
}

import { execFile } from 'node:child_process';
import { access, constants, mkdir, statfs } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Settings } from '../../config/settings.ts';
import { formatDiagnostic } from '../../lib/diagnostics.ts';
import { EXIT } from '../../lib/errors.ts';
import type { Component } from '../../server/contract/component.ts';
import type { Instance } from '../../server/contract/instance.ts';
import { CliError, cliErrorOf } from '../cli-error.ts';
import type { Client } from '../client.ts';
import { runningService, settingsOf, withClient } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { bytes, plural, relative } from '../format.ts';
import { printJson } from '../output.ts';
import { painter, printable } from '../render.ts';

interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'failed';
  readonly text: string;
  readonly fix?: string;
}

const run = promisify(execFile);
const LOW_DISK = 1e9;
const SILENT_DAEMON_MS = 180_000;
/** Daemons that work less often than that. */
const SILENT_MS: Readonly<Record<string, number>> = { retention: 7 * 3_600_000 };

/** One line per check, with cause and fix for what is not well. 1 when something failed. */
export async function doctor(context: CliContext): Promise<number> {
  const checks: Check[] = [node(), await git(), await python()];
  const settings = await loadSettings(context, checks);
  if (settings !== null) {
    checks.push(...(await home(settings)), await service(settings));
    checks.push(...(await throughApi(context)));
  }
  if (context.json) printJson(context, { items: checks });
  else for (const check of checks) context.out(lineOf(context, check));
  return checks.some((check) => check.status === 'failed') ? EXIT.failed : EXIT.ok;
}

function lineOf(context: CliContext, { name, status, text, fix }: Check): string {
  const paint = painter(context.color);
  const sign = { ok: paint('green', '✓'), warning: paint('yellow', '!'), failed: paint('red', '✗') }[status];
  return `${sign} ${name}: ${printable(text)}${fix === undefined ? '' : `\n    ${printable(fix)}`}`;
}

function node(): Check {
  return { name: 'node', status: 'ok', text: process.versions.node };
}

async function git(): Promise<Check> {
  try {
    const { stdout } = await run('git', ['--version']);
    return { name: 'git', status: 'ok', text: stdout.trim() };
  } catch {
    return { name: 'git', status: 'failed', text: 'not found', fix: 'install git 2.30 or newer' };
  }
}

async function python(): Promise<Check> {
  for (const name of ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10']) {
    try {
      const { stdout } = await run(name, ['--version']);
      if (/^Python 3\.1[0-3]\./.test(stdout))
        return { name: 'python', status: 'ok', text: `${stdout.trim()} (${name})` };
    } catch {
      // The next name.
    }
  }
  return {
    name: 'python',
    status: 'failed',
    text: 'no Python 3.10 to 3.13',
    fix: 'install one, for example python3.12',
  };
}

async function loadSettings(context: CliContext, checks: Check[]): Promise<Settings | null> {
  try {
    const { settings } = await settingsOf(context);
    const sources = settings.components.map((component) => component.name).join(', ');
    checks.push({
      name: 'settings',
      status: 'ok',
      text: `components ${sources}${settings.demo ? ' (the demo)' : ''}`,
    });
    return settings;
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    for (const diagnostic of error.diagnostics) {
      checks.push({ name: 'settings', status: 'failed', text: formatDiagnostic(diagnostic) });
    }
    return null;
  }
}

async function home({ home: dir }: Settings): Promise<Check[]> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await access(dir, constants.W_OK);
    const { bavail, bsize } = await statfs(dir);
    const free = bavail * bsize;
    const disk: Check =
      free < LOW_DISK
        ? { name: 'disk', status: 'warning', text: `${bytes(free)} free`, fix: `free some space for ${dir}` }
        : { name: 'disk', status: 'ok', text: `${bytes(free)} free` };
    return [{ name: 'home', status: 'ok', text: dir }, disk];
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return [{ name: 'home', status: 'failed', text, fix: 'set ELT_HOME to a folder that you may write' }];
  }
}

async function service(settings: Settings): Promise<Check> {
  const found = await runningService(settings);
  return found === null
    ? { name: 'service', status: 'ok', text: 'none runs: commands work by themselves' }
    : { name: 'service', status: 'ok', text: `${found.url}, pid ${found.pid}` };
}

async function throughApi(context: CliContext): Promise<Check[]> {
  const checks: Check[] = [];
  try {
    await withClient(context, async (client) => {
      checks.push(...(await apiChecks(client)));
      return EXIT.ok;
    });
  } catch (error) {
    const { code, message, hint } = cliErrorOf(error);
    checks.push({
      name: 'store',
      status: 'failed',
      text: `${code} ${message}`,
      ...(hint === null ? {} : { fix: hint }),
    });
  }
  return checks;
}

async function apiChecks(client: Client): Promise<Check[]> {
  const [instance, components] = await Promise.all([
    client.get<Instance>('/instance'),
    client.all<Component>('/components'),
  ]);
  const now = Date.now();
  return [
    {
      name: 'store',
      status: 'ok',
      text: `${bytes(instance.storage.database_bytes)}, ${instance.last_event_id} events`,
    },
    ...components.flatMap(componentChecks),
    ...alertChecks(instance),
    ...instance.environments.map((environment): Check => {
      const failed = environment.status === 'failed';
      return {
        name: `environment ${environment.env_key.slice(0, 16)}`,
        status: failed ? 'failed' : 'ok',
        text: `${environment.status} ${environment.message}`,
      };
    }),
    ...(client.backend.kind === 'service' ? instance.daemons : []).map((daemon): Check => {
      const silent = now - Date.parse(daemon.at) > (SILENT_MS[daemon.name] ?? SILENT_DAEMON_MS);
      const name = `daemon ${daemon.name}`;
      if (daemon.status === 'failed') return { name, status: 'failed', text: daemon.last_error ?? 'failed' };
      return { name, status: silent ? 'warning' : 'ok', text: `last beat ${relative(daemon.at, now)}` };
    }),
  ];
}

function alertChecks({ alerts: { failed, last_error: error, unready } }: Instance): Check[] {
  return [
    ...unready.map(
      ({ channel, problem, hint }): Check => ({
        name: `alert channel ${channel}`,
        status: 'failed',
        text: problem,
        fix: hint,
      }),
    ),
    ...(failed === 0
      ? []
      : [
          {
            name: 'alerts',
            status: 'failed' as const,
            text: `${plural(failed, 'message')} of the last day not delivered: ${error ?? ''}`,
            fix: 'see: elt alerts log; then: elt alerts test <channel>',
          },
        ]),
  ];
}

function componentChecks(component: Component): Check[] {
  const name = `repository ${component.name}`;
  const bad = component.conditions.filter(
    ({ type, status }) => ['FetchFailed', 'Stalled'].includes(type) && status === 'True',
  );
  const errors = component.diagnostics.filter((diagnostic) => diagnostic.severity === 'error').length;
  const reach: Check[] =
    bad.length === 0
      ? [
          {
            name,
            status: 'ok',
            text: `${component.repo_url} @ ${component.head?.commit.slice(0, 7) ?? 'nothing yet'}`,
          },
        ]
      : [...new Set(bad.map(({ reason, message }) => `${reason} ${message}`))].map((text) => ({
          name,
          status: 'failed',
          text,
        }));
  if (errors === 0) return reach;
  return [
    ...reach,
    {
      name: `files of ${component.name}`,
      status: 'warning',
      text: plural(errors, 'error'),
      fix: 'see: elt status',
    },
  ];
}

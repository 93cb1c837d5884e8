import { homeChecks, toolChecks } from '../../config/machine-checks.ts';
import type { Settings } from '../../config/settings.ts';
import { formatDiagnostic } from '../../lib/diagnostics.ts';
import { EXIT } from '../../lib/errors.ts';
import type { HealthCheck } from '../../lib/health-check.ts';
import type { DoctorReport } from '../../server/contract/doctor.ts';
import { CliError, cliErrorOf } from '../cli-error.ts';
import { runningService, settingsOf, withClient } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { printJson } from '../output.ts';
import { painter, printable } from '../render.ts';

/** One line per check, with cause and fix for what is not well. 1 when something failed. */
export async function doctor(context: CliContext): Promise<number> {
  const checks: HealthCheck[] = await toolChecks();
  const settings = await loadSettings(context, checks);
  if (settings !== null) {
    checks.push(...(await homeChecks(settings.home)), await service(settings));
    checks.push(...(await throughApi(context)));
  }
  if (context.json) printJson(context, { items: checks });
  else for (const check of checks) context.out(lineOf(context, check));
  return checks.some((check) => check.status === 'failed') ? EXIT.failed : EXIT.ok;
}

function lineOf(context: CliContext, { name, status, text, fix }: HealthCheck): string {
  const paint = painter(context.color);
  const sign = { ok: paint('green', '✓'), warning: paint('yellow', '!'), failed: paint('red', '✗') }[status];
  return `${sign} ${name}: ${printable(text)}${fix === null ? '' : `\n    ${printable(fix)}`}`;
}

async function loadSettings(context: CliContext, checks: HealthCheck[]): Promise<Settings | null> {
  try {
    const { settings } = await settingsOf(context);
    const sources = settings.components.map((component) => component.name).join(', ');
    checks.push({
      name: 'settings',
      status: 'ok',
      text: `components ${sources}${settings.demo ? ' (the demo)' : ''}`,
      fix: null,
    });
    return settings;
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    for (const diagnostic of error.diagnostics) {
      checks.push({ name: 'settings', status: 'failed', text: formatDiagnostic(diagnostic), fix: null });
    }
    return null;
  }
}

async function service(settings: Settings): Promise<HealthCheck> {
  const found = await runningService(settings);
  return found === null
    ? { name: 'service', status: 'ok', text: 'none runs: commands work by themselves', fix: null }
    : { name: 'service', status: 'ok', text: `${found.url}, pid ${found.pid}`, fix: null };
}

async function throughApi(context: CliContext): Promise<HealthCheck[]> {
  const checks: HealthCheck[] = [];
  try {
    await withClient(context, async (client) => {
      const { items } = await client.get<DoctorReport>('/doctor');
      // Those of this machine were made before: without a service, or with one elsewhere, they are others.
      for (const { of, ...check } of items) if (of === 'service') checks.push(check);
      return EXIT.ok;
    });
  } catch (error) {
    const { code, message, hint } = cliErrorOf(error);
    checks.push({
      name: 'store',
      status: 'failed',
      text: `${code} ${message}`,
      fix: hint,
    });
  }
  return checks;
}

import { refText } from '../../config/ref-text.ts';
import { EXIT } from '../../lib/errors.ts';
import { isSecretName } from '../../lib/secret.ts';
import { settingsOf } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { printJson } from '../output.ts';
import { table } from '../render.ts';

interface Row {
  readonly setting: string;
  readonly value: string;
  readonly origin: string;
}

/** What is set to what, and which file, variable or flag says so. Values of secrets are never printed. */
export async function showConfig(context: CliContext, withOrigin: boolean): Promise<number> {
  const { settings, origins } = await settingsOf(context);
  const values: Readonly<Record<string, string>> = {
    ELT_HOME: settings.home,
    ELT_HOST: settings.host,
    ELT_PORT: String(settings.port),
    ELT_PUBLIC_URL: settings.publicUrl,
    ELT_ALLOWED_HOSTS: settings.allowedHosts.join(','),
    ELT_API_TOKEN: settings.apiToken ?? '',
    ELT_WEBHOOK_SECRET: settings.webhookSecret ?? '',
    ELT_SECRETS_DIR: settings.secretsDir ?? '',
    ELT_PASS_ENV: settings.passEnv.join(','),
    ELT_ALERT_ENV: settings.alertEnv.join(','),
    ELT_ALERT_HOSTS: settings.alertHosts.join(','),
    ELT_MAX_CONCURRENT: String(settings.maxConcurrent),
    ELT_WARM_STARTS: String(settings.warmStarts),
    ELT_LOG_LEVEL: settings.logLevel,
  };
  const rows: Row[] = Object.entries(values).map(([setting, value]) => ({
    setting,
    value: shown(setting, value),
    origin: origins.get(setting) ?? 'default',
  }));
  for (const component of settings.components) {
    const { name, ref } = component;
    const attributes: Readonly<Record<string, string>> = {
      repo_url: component.repoUrl,
      [`repo_${ref.kind}`]: refText(ref),
      github_token: component.token() ?? '',
      pipelines_directory: component.pipelinesDirectory,
      auto_refresh: String(component.autoRefresh),
      refresh_interval: `${component.refreshIntervalMs / 1000}s`,
    };
    for (const [attribute, value] of Object.entries(attributes)) {
      const setting = `${name}.${attribute}`;
      rows.push({ setting, value: shown(attribute, value), origin: origins.get(setting) ?? 'default' });
    }
  }
  if (context.json) printJson(context, { items: rows });
  else {
    context.out(
      table(
        [
          { title: 'SETTING', value: (row: Row) => row.setting },
          { title: 'VALUE', value: (row: Row) => row.value, shrink: true },
          { title: 'SET BY', value: (row: Row) => (withOrigin ? row.origin : '') },
        ],
        rows,
        context,
      ),
    );
  }
  return EXIT.ok;
}

function shown(name: string, value: string): string {
  if (value === '') return '(unset)';
  if (isSecretName(name)) return '(set)';
  return value.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@\s]*@/i, '$1***@');
}

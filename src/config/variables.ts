import { readFileSync } from 'node:fs';
import { parse } from 'dotenv';

/** A value and who set it: `flag`, `environment`, `.env` or `default`. */
export interface Sourced {
  readonly value: string;
  readonly origin: string;
}

/** Every setting of the service with its default; '' is unset. `defs.yaml` may refer to each of them. */
export const SETTING_DEFAULTS = {
  ELT_REPO_URL: '',
  GITHUB_TOKEN: '',
  ELT_REPO_BRANCH: 'main',
  ELT_PIPELINES_DIR: 'pipelines',
  ELT_AUTO_REFRESH: 'true',
  ELT_REFRESH_INTERVAL: '60s',
  ELT_WEBHOOK_SECRET: '',
  ELT_SECRETS_DIR: '',
  ELT_PASS_ENV: '',
  ELT_ALERT_ENV: '',
  ELT_ALERT_HOSTS: '',
  ELT_HOME: '',
  ELT_HOST: '127.0.0.1',
  ELT_PORT: '3000',
  ELT_PUBLIC_URL: '',
  ELT_ALLOWED_HOSTS: '',
  ELT_API_TOKEN: '',
  DATABASE_URL: '',
  ELT_MAX_CONCURRENT: '',
  ELT_WARM_STARTS: 'true',
  ELT_LOG_LEVEL: 'info',
} as const;
export type SettingName = keyof typeof SETTING_DEFAULTS;

/** Values of flags by the setting that they stand for: `--repo` is `ELT_REPO_URL`. */
export type SettingOverrides = Readonly<Partial<Record<SettingName, string>>>;

/** Flags over environment over `.env`. An empty value is unset everywhere. */
export interface Variables {
  /** Set by flag, environment or `.env`. */
  given(name: string): Sourced | undefined;
  /** `given`, or the setting's default; undefined: unset and no setting. */
  resolve(name: string): Sourced | undefined;
  /** The environment with `.env` laid under it; flags are no part of it. */
  environment(): Record<string, string>;
}

export function layerVariables(
  overrides: SettingOverrides,
  env: Readonly<Record<string, string | undefined>>,
  dotenvFile: string,
): Variables {
  const dotenv = readDotenv(dotenvFile);
  const flags: Readonly<Record<string, string | undefined>> = overrides;
  function given(name: string): Sourced | undefined {
    const layers = [
      [flags[name], 'flag'],
      [env[name], 'environment'],
      [dotenv[name], '.env'],
    ] as const;
    for (const [value, origin] of layers) if (value !== undefined && value !== '') return { value, origin };
    return undefined;
  }
  return {
    given,
    resolve(name) {
      const found = given(name);
      if (found !== undefined) return found;
      if (!Object.hasOwn(SETTING_DEFAULTS, name)) return undefined;
      return { value: SETTING_DEFAULTS[name as SettingName], origin: 'default' };
    },
    environment() {
      const all: Record<string, string> = {};
      for (const layer of [dotenv, env]) {
        for (const [name, value] of Object.entries(layer)) if (value !== undefined) all[name] = value;
      }
      return all;
    },
  };
}

/** A file that is not there holds nothing; one that cannot be read is an error of the caller's machine and thrown. */
function readDotenv(file: string): Readonly<Record<string, string | undefined>> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return {};
    throw error;
  }
  return parse(text);
}

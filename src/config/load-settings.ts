import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import type { Diagnostic } from '../lib/diagnostics.ts';
import { isLoopback } from '../lib/loopback.ts';
import { createRedactor } from '../lib/secret.ts';
import { type ComponentContext, componentSettings } from './component-settings.ts';
import { type Defs, readDefs } from './defs-yaml.ts';
import type { ComponentSettings, Settings } from './settings.ts';
import { readBoolean, readInteger, readList } from './values.ts';
import {
  layerVariables,
  SETTING_DEFAULTS,
  type SettingName,
  type SettingOverrides,
  type Variables,
} from './variables.ts';

export interface LoadSettingsOptions {
  /** Checkout of the product. */
  readonly root: string;
  readonly cwd: string;
  /** Flags, by the setting that they stand for. */
  readonly overrides?: SettingOverrides;
  /** Pass `process.env` itself: the token is looked up in it at each fetch. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Default: `.env` beside `defs/`. */
  readonly dotenvFile?: string;
}

export type LoadedSettings =
  | {
      readonly ok: Settings;
      readonly warnings: readonly Diagnostic[];
      /** Setting, or `<component>.<attribute>` → `flag`, `environment`, `.env`, `default` or a place in a file. */
      readonly origins: ReadonlyMap<string, string>;
    }
  | { readonly diagnostics: readonly Diagnostic[] };

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];
const COMPONENT_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;
const DEFAULT_COMPONENT = 'elt_pipelines';

/**
 * All settings of the service: flag over environment over `.env` over `defs.yaml` over default (`interfaces.md` §2).
 * Every mistake of every file and variable at once; no value of a secret in any message.
 */
export function loadSettings(options: LoadSettingsOptions): LoadedSettings {
  const { root, cwd, env, overrides = {} } = options;
  const project = existsSync(path.join(cwd, 'defs')) ? cwd : root;
  const dotenvFile = options.dotenvFile ?? path.join(project, '.env');
  const found: Diagnostic[] = [];
  const origins = new Map<string, string>();
  const variables = layerVariables(overrides, env, dotenvFile);
  const reader = new SettingReader(variables, found, origins, cwd, path.dirname(dotenvFile));

  const homeGiven = variables.given('ELT_HOME');
  const home =
    homeGiven === undefined ? path.join(project, '.elt') : reader.path('ELT_HOME', homeGiven.value);
  const files = defsFiles(project, found);
  const productVersion = versionOf(root);
  const components: ComponentSettings[] = [];
  let demo = false;
  for (const { name, file, defs } of files) {
    const context: ComponentContext = {
      name,
      dir:
        homeGiven !== undefined || file === null ? path.join(home, 'components', name) : path.dirname(file),
      defs,
      only: files.length === 1,
      variables,
      overrides,
      env,
      dotenvFile,
      cwd,
      project,
      demoRepository: path.join(home, 'demo.git'),
      productVersion,
      report: (diagnostic) => found.push(diagnostic),
      origin: (setting, origin) => origins.set(setting, origin),
    };
    const made = componentSettings(context);
    if (made === null) continue;
    components.push(made.settings);
    demo ||= made.demo;
  }
  for (const flag of ['ELT_REPO_URL', 'ELT_REPO_BRANCH'] as const) {
    if (overrides[flag] !== undefined && files.length > 1) {
      found.push(
        problem(
          'SETTING_INVALID',
          'several components are defined, a flag cannot say which is meant',
          'set it in the defs.yaml of the component',
        ),
      );
    }
  }
  let environment = variables.environment();
  const settings: Settings = {
    ...service(reader, { home, root, components, demo }),
    /** As `.env` is at this moment: a secret that a step asked for counts from its next attempt on. */
    get environment() {
      try {
        environment = layerVariables(overrides, env, dotenvFile).environment();
      } catch {
        // It cannot be read for now: what was read before goes on.
      }
      return environment;
    },
  };
  const diagnostics = found.filter((diagnostic) => diagnostic.severity === 'error');
  if (diagnostics.length > 0) return { diagnostics: found };
  return { ok: settings, warnings: found, origins };
}

/** Binding to other than loopback without a token lets everybody run pipelines; null: the binding is fine. */
export function checkBinding(settings: Pick<Settings, 'host' | 'apiToken'>): Diagnostic | null {
  if (isLoopback(settings.host) || settings.apiToken !== null) return null;
  return problem(
    'BIND_WITHOUT_TOKEN',
    `binding to ${settings.host} without a token lets everybody who reaches it run pipelines`,
    'add a token: echo "ELT_API_TOKEN=$(openssl rand -hex 24)" >> .env',
  );
}

type Whole = Pick<Settings, 'home' | 'root' | 'components' | 'demo'>;

function service(reader: SettingReader, whole: Whole): Omit<Settings, 'environment'> {
  const host = reader.text('ELT_HOST');
  const port = reader.integer('ELT_PORT', 0, 65_535, 3000);
  const logLevel = reader.text('ELT_LOG_LEVEL');
  if (!LOG_LEVELS.includes(logLevel)) reader.refuse('ELT_LOG_LEVEL', `one of ${LOG_LEVELS.join(', ')}`);
  if (/[\s/]|^-/.test(host)) reader.refuse('ELT_HOST', 'a host name or address, such as 127.0.0.1');
  const passEnv = readList(reader.text('ELT_PASS_ENV'));
  if (passEnv.some((name) => !/^[A-Za-z_]\w*$/.test(name))) {
    reader.refuse('ELT_PASS_ENV', 'names of variables separated by commas');
  }
  const alertEnv = readList(reader.text('ELT_ALERT_ENV'));
  if (alertEnv.some((name) => !/^[A-Za-z_]\w*$/.test(name))) {
    reader.refuse('ELT_ALERT_ENV', 'names of variables separated by commas');
  }
  const alertHosts = readList(reader.text('ELT_ALERT_HOSTS'));
  if (alertHosts.some((host) => !/^(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/.test(host))) {
    reader.refuse('ELT_ALERT_HOSTS', 'names of hosts separated by commas, such as hooks.slack.com');
  }
  if (reader.text('DATABASE_URL') !== '') {
    reader.warn(
      'DATABASE_URL is set, but this release keeps its data in SQLite under ELT_HOME',
      'nothing to do',
    );
  }
  return {
    ...whole,
    host,
    port,
    publicUrl: reader.publicUrl(host, port),
    allowedHosts: readList(reader.text('ELT_ALLOWED_HOSTS')),
    apiToken: reader.text('ELT_API_TOKEN') || null,
    webhookSecret: reader.text('ELT_WEBHOOK_SECRET') || null,
    secretsDir: reader.folder('ELT_SECRETS_DIR'),
    passEnv,
    alertEnv,
    alertHosts,
    maxConcurrent: reader.integer('ELT_MAX_CONCURRENT', 1, 1_000, availableParallelism()),
    warmStarts: reader.boolean('ELT_WARM_STARTS'),
    logLevel,
  };
}

class SettingReader {
  readonly #variables: Variables;
  readonly #found: Diagnostic[];
  readonly #origins: Map<string, string>;
  readonly #cwd: string;
  readonly #dotenvDir: string;

  constructor(
    variables: Variables,
    found: Diagnostic[],
    origins: Map<string, string>,
    cwd: string,
    dotenvDir: string,
  ) {
    this.#variables = variables;
    this.#found = found;
    this.#origins = origins;
    this.#cwd = cwd;
    this.#dotenvDir = dotenvDir;
  }

  text(name: SettingName): string {
    const { value, origin } = this.#variables.resolve(name) ?? {
      value: SETTING_DEFAULTS[name],
      origin: 'default',
    };
    this.#origins.set(name, origin);
    return value.trim();
  }

  refuse(name: SettingName, wanted: string): void {
    const { value, origin } = this.#variables.resolve(name) ?? { value: '', origin: 'default' };
    // An address can hold a password.
    const shown = createRedactor([])(value);
    this.#found.push(problem('SETTING_INVALID', `${name} (${origin}) is "${shown}"`, `write ${wanted}`));
  }

  warn(message: string, hint: string): void {
    this.#found.push({ ...problem('SETTING_INVALID', message, hint), severity: 'warning' });
  }

  integer(name: SettingName, least: number, most: number, otherwise: number): number {
    const text = this.text(name);
    if (text === '') return otherwise;
    const value = readInteger(text, least, most);
    if (value === null) this.refuse(name, `a whole number from ${least} to ${most}`);
    return value ?? otherwise;
  }

  boolean(name: SettingName): boolean {
    const value = readBoolean(this.text(name));
    if (value === null) this.refuse(name, 'true or false');
    return value ?? true;
  }

  /** Relative to the working directory, or to `.env` where that names it. */
  path(name: SettingName, value: string): string {
    const origin = this.#variables.given(name)?.origin ?? 'default';
    this.#origins.set(name, origin);
    return path.resolve(origin === '.env' ? this.#dotenvDir : this.#cwd, value.trim());
  }

  folder(name: SettingName): string | null {
    const text = this.text(name);
    if (text === '') return null;
    const folder = this.path(name, text);
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
      this.refuse(name, 'the path of a folder that exists');
    return folder;
  }

  publicUrl(host: string, port: number): string {
    const text = this.text('ELT_PUBLIC_URL');
    if (text === '') {
      const name =
        host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
      return `http://${name}:${port}`;
    }
    const url = URL.parse(text);
    if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
      this.refuse('ELT_PUBLIC_URL', 'an address such as https://elt.example.com');
    }
    return text.replace(/\/+$/, '');
  }
}

interface DefsFile {
  readonly name: string;
  readonly file: string | null;
  readonly defs: Defs | null;
}

/** `defs/<name>/defs.yaml` of the project, by name; without any, the default component with every setting's default. */
function defsFiles(project: string, found: Diagnostic[]): DefsFile[] {
  const files: DefsFile[] = [];
  let seen = 0;
  const folder = path.join(project, 'defs');
  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  for (const name of names) {
    const file = path.join(folder, name, 'defs.yaml');
    if (!existsSync(file)) continue;
    seen++;
    const shown = `defs/${name}/defs.yaml`;
    if (!COMPONENT_NAME.test(name)) {
      found.push({
        ...problem('SETTING_INVALID', `"${name}" cannot name a component`, 'use letters, digits, _ and -'),
        file: shown,
      });
      continue;
    }
    const result = readDefs(shown, readFileSync(file, 'utf8'));
    if ('ok' in result) {
      found.push(...result.warnings);
      files.push({ name, file, defs: result.ok });
    } else found.push(...result.diagnostics);
  }
  return seen === 0 ? [{ name: DEFAULT_COMPONENT, file: null, defs: null }] : files;
}

function versionOf(root: string): string {
  const text = readFileSync(path.join(root, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function problem(code: string, message: string, hint: string): Diagnostic {
  return { code, severity: 'error', message, file: '', line: 0, column: 0, hint };
}

import { existsSync } from 'node:fs';
import path from 'node:path';
import { validRange } from 'semver';
import type { Diagnostic } from '../lib/diagnostics.ts';
import { digestOf } from '../lib/digest.ts';
import type { AttributeReader, AttributeValue } from './attribute-reader.ts';
import type { Attribute, Defs } from './defs-yaml.ts';
import { readGithub } from './github-settings.ts';
import { type Interpolation, interpolate } from './interpolate.ts';
import type { ComponentSettings } from './settings.ts';
import { readBoolean, readDurationMs } from './values.ts';
import {
  layerVariables,
  SETTING_DEFAULTS,
  type SettingName,
  type SettingOverrides,
  type Variables,
} from './variables.ts';

export interface ComponentContext {
  readonly name: string;
  readonly dir: string;
  /** Null: no defs.yaml, every attribute names its setting. */
  readonly defs: Defs | null;
  /** The only component is also set by the `ELT_…` variables; of several each is set by its own file. */
  readonly only: boolean;
  readonly variables: Variables;
  readonly overrides: SettingOverrides;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly dotenvFile: string;
  /** What relative paths start from: of flags and environment, and of files. */
  readonly cwd: string;
  readonly project: string;
  /** `ELT_HOME/demo.git`, served when no repository is named. */
  readonly demoRepository: string;
  readonly productVersion: string;
  readonly report: (diagnostic: Diagnostic) => void;
  readonly origin: (name: string, origin: string) => void;
}

const SETTING_OF = {
  repo_url: 'ELT_REPO_URL',
  repo_branch: 'ELT_REPO_BRANCH',
  github_token: 'GITHUB_TOKEN',
  pipelines_directory: 'ELT_PIPELINES_DIR',
  auto_refresh: 'ELT_AUTO_REFRESH',
  refresh_interval: 'ELT_REFRESH_INTERVAL',
} as const satisfies Record<string, SettingName>;

const SHORTEST_INTERVAL_MS = 1_000;
const LONGEST_INTERVAL_MS = 7 * 86_400_000;

/** One component's settings; null when something was reported that keeps it from working. */
export function componentSettings(
  context: ComponentContext,
): { settings: ComponentSettings; demo: boolean } | null {
  const reading = new Reading(context);
  const url = reading.value('repo_url');
  const demo = url.text === '' && context.only;
  if (url.text === '' && !context.only) {
    reading.refuse(
      'SETTING_MISSING',
      url,
      'repo_url is empty',
      'of several components each needs a repository',
    );
  }
  const ref = reading.ref();
  const directory = reading.directory();
  const autoRefresh = readBoolean(reading.value('auto_refresh').text);
  if (autoRefresh === null) {
    const value = reading.value('auto_refresh');
    reading.refuse('SETTING_INVALID', value, `auto_refresh is "${value.text}"`, 'write true or false');
  }
  const interval = reading.interval();
  const ssh = reading.files('ssh.key_file', 'ssh.known_hosts_file');
  const ca = reading.files('ca_file');
  reading.checkToken();
  const sparsePaths = reading.sparsePaths();
  const github = readGithub(reading, demo ? '' : url.text);
  if (reading.failed) return null;
  const repoUrl = demo ? context.demoRepository : located(url, context);
  return {
    demo,
    settings: {
      name: context.name,
      dir: context.dir,
      repoUrl,
      ref: demo ? { kind: 'branch', name: 'main' } : ref,
      token: () => currentToken(context),
      tokenVariables: tokenText(context, context.variables).variables,
      ...(ssh['ssh.key_file'] === undefined && ssh['ssh.known_hosts_file'] === undefined
        ? {}
        : {
            ssh: {
              ...(ssh['ssh.key_file'] === undefined ? {} : { keyFile: ssh['ssh.key_file'] }),
              ...(ssh['ssh.known_hosts_file'] === undefined
                ? {}
                : { knownHostsFile: ssh['ssh.known_hosts_file'] }),
            },
          }),
      ...(ca.ca_file === undefined ? {} : { caFile: ca.ca_file }),
      ...(sparsePaths === null || directory === '' ? {} : { sparsePaths }),
      ...github,
      pipelinesDirectory: demo ? 'pipelines' : directory,
      autoRefresh: autoRefresh ?? true,
      refreshIntervalMs: interval,
      digest: digestOf({
        repoUrl,
        ref,
        directory,
        version: context.productVersion,
        // Folders that read a variable which is not there are warned about.
        environment: Object.keys(context.variables.environment()).sort(),
        passEnv: context.variables.resolve('ELT_PASS_ENV')?.value,
        alertEnv: context.variables.resolve('ELT_ALERT_ENV')?.value,
      }),
    },
  };
}

/** The token as environment and `.env` have it at this moment (fault G3: rotated without restart). */
function currentToken(context: ComponentContext): string | null {
  const fresh = layerVariables(context.overrides, context.env, context.dotenvFile);
  const { value, problems } = tokenText(context, fresh);
  const token = value.trim();
  return token === '' || problems.length > 0 ? null : token;
}

function tokenText(context: ComponentContext, variables: Variables): Interpolation {
  const attribute = context.defs?.attributes.get('github_token');
  const text = attributeText(attribute, 'GITHUB_TOKEN', context.only, variables);
  return interpolate(text, (name) => variables.resolve(name)?.value);
}

/**
 * What an attribute says before interpolation. A text that names variables takes theirs; a literal is the file's own,
 * which flag, environment and `.env` override.
 */
function attributeText(
  attribute: Attribute | undefined,
  setting: SettingName | undefined,
  only: boolean,
  variables: Variables,
): string {
  if (attribute === undefined) return setting === undefined || !only ? '' : `\${${setting}}`;
  if (setting === undefined || !only || attribute.text.includes('${')) return attribute.text;
  return variables.given(setting) === undefined ? attribute.text : `\${${setting}}`;
}

/** Relative local paths of flag and environment start at the working directory, those of files at the project. */
function located(url: AttributeValue, context: ComponentContext): string {
  if (/^[A-Za-z][A-Za-z0-9+.-]*:|^[^/]*:/.test(url.text) || url.text.startsWith('-')) return url.text;
  const base = url.origin === 'flag' || url.origin === 'environment' ? context.cwd : context.project;
  return path.resolve(base, url.text);
}

class Reading implements AttributeReader {
  readonly #context: ComponentContext;
  readonly #values = new Map<string, AttributeValue>();
  failed = false;

  constructor(context: ComponentContext) {
    this.#context = context;
  }

  refuse(
    code: 'SETTING_MISSING' | 'SETTING_INVALID',
    value: Pick<AttributeValue, 'at'>,
    message: string,
    hint: string,
  ): void {
    this.failed = true;
    this.#context.report({ code, severity: 'error', message, ...value.at, hint });
  }

  value(name: string): AttributeValue {
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    const read = this.#read(name);
    this.#values.set(name, read);
    this.#context.origin(`${this.#context.name}.${name}`, read.origin);
    return read;
  }

  #read(name: string): AttributeValue {
    const { defs, only, variables } = this.#context;
    const attribute = defs?.attributes.get(name);
    const setting = (SETTING_OF as Readonly<Record<string, SettingName | undefined>>)[name];
    const text = attributeText(attribute, setting, only, variables);
    const own = attribute !== undefined && text === attribute.text;
    const {
      value,
      variables: used,
      problems,
    } = interpolate(text, (variable) => variables.resolve(variable)?.value);
    for (const problem of problems) this.#unresolved(name, attribute, problem);
    const givers = used.map(
      (variable) => `${variable} (${variables.resolve(variable)?.origin ?? 'its default'})`,
    );
    const place =
      attribute === undefined || defs === null
        ? { file: '', line: 0, column: 0 }
        : { file: defs.file, line: attribute.line, column: attribute.column };
    const single = used.length === 1 && text === `\${${used[0]}}` ? variables.resolve(used[0]!) : undefined;
    if (value === '' && setting !== undefined && name !== 'github_token') {
      return { text: SETTING_DEFAULTS[setting], origin: 'default', at: place };
    }
    if (single !== undefined) return { text: value, origin: single.origin, at: place };
    const inFile = own && defs !== null ? `${defs.file}:${place.line}` : 'default';
    return {
      text: value,
      origin: givers.length === 0 ? inFile : `${inFile} with ${givers.join(', ')}`,
      at: place,
    };
  }

  #unresolved(
    name: string,
    attribute: Attribute | undefined,
    problem: { offset: number; variable: string | null; text: string },
  ): void {
    this.failed = true;
    const place = attribute?.placeOf(problem.offset) ?? { line: 0, column: 0 };
    const { variable } = problem;
    this.#context.report({
      code: variable === null ? 'SETTING_INVALID' : 'SETTING_MISSING',
      severity: 'error',
      file: this.#context.defs?.file ?? '',
      ...place,
      path: `attributes.${name}`,
      message: variable === null ? `"${problem.text}" cannot be read` : `the variable ${variable} is not set`,
      hint:
        variable === null
          ? 'write ${NAME} or ${NAME:-default}'
          : `add the line "${variable}=<value>" to .env`,
    });
  }

  has(name: string): boolean {
    return this.#context.defs?.attributes.has(name) ?? false;
  }

  hasToken(): boolean {
    return this.value('github_token').text.trim() !== '';
  }

  ref(): ComponentSettings['ref'] {
    const attributes = this.#context.defs?.attributes;
    const given = this.#context.only ? this.#context.variables.given('ELT_REPO_BRANCH') : undefined;
    const pins = ['repo_tag', 'repo_commit', 'repo_semver'].filter((name) => attributes?.has(name));
    if (pins.length > 1 || (pins.length === 1 && attributes?.get('repo_branch') !== undefined)) {
      const value = this.value(pins[0]!);
      this.refuse(
        'SETTING_INVALID',
        value,
        'two of repo_branch, repo_tag, repo_commit and repo_semver are set',
        'keep one',
      );
    }
    const [pin] = pins;
    if (pin === undefined || given !== undefined) {
      const branch = this.value('repo_branch');
      this.#checkRef('repo_branch', branch);
      return { kind: 'branch', name: branch.text };
    }
    const value = this.value(pin);
    if (pin === 'repo_tag') {
      this.#checkRef(pin, value);
      return { kind: 'tag', name: value.text };
    }
    if (pin === 'repo_semver') {
      if (validRange(value.text) === null) {
        this.refuse(
          'SETTING_INVALID',
          value,
          `repo_semver is "${value.text}"`,
          'write a range of versions, such as ">=1.2 <2" or "1.x"',
        );
      }
      return { kind: 'semver', range: value.text };
    }
    if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(value.text)) {
      this.refuse(
        'SETTING_INVALID',
        value,
        `repo_commit is "${value.text}"`,
        'write the whole id, 40 hexadecimal digits',
      );
    }
    return { kind: 'commit', sha: value.text };
  }

  /** The full rules of git stand in `git/remote-url.ts`; here only what could be taken for an option or a pattern. */
  #checkRef(name: string, value: AttributeValue): void {
    if (/^[-/.]|[\p{Cc} ~^:?*[\\]|\.\.|@\{|\/$|\.lock$/u.test(value.text) || value.text === '') {
      this.refuse(
        'SETTING_INVALID',
        value,
        `${name} is "${value.text}"`,
        'write the name as git shows it, such as main',
      );
    }
  }

  directory(): string {
    const value = this.value('pipelines_directory');
    return this.#folder('pipelines_directory', value, value.text);
  }

  /** Null: not said. */
  sparsePaths(): readonly string[] | null {
    if (!this.has('sparse_paths')) return null;
    const value = this.value('sparse_paths');
    const paths = value.text.split('\n').filter((line) => line !== '');
    return paths.map((line) => this.#folder('sparse_paths', value, line)).filter((line) => line !== '');
  }

  #folder(name: string, value: AttributeValue, text: string): string {
    const parts = text.split('/').filter((part) => part !== '' && part !== '.');
    if (parts.includes('..') || text.startsWith('/') || /\p{Cc}|\\/u.test(text)) {
      this.refuse(
        'SETTING_INVALID',
        value,
        `${name} is "${text}"`,
        'write a folder of the repository, such as pipelines',
      );
    }
    return parts.join('/');
  }

  interval(): number {
    const value = this.value('refresh_interval');
    const ms = readDurationMs(value.text);
    if (ms === null || ms < SHORTEST_INTERVAL_MS || ms > LONGEST_INTERVAL_MS) {
      this.refuse(
        'SETTING_INVALID',
        value,
        `refresh_interval is "${value.text}"`,
        'write a duration from 1s to 7d, such as 60s',
      );
    }
    return ms ?? 0;
  }

  /** Paths of files that have to be there; relative ones start at the project. */
  files<Name extends string>(...names: Name[]): Partial<Record<Name, string>> {
    const found: Partial<Record<Name, string>> = {};
    for (const name of names) {
      if (!this.#context.defs?.attributes.has(name)) continue;
      const value = this.value(name);
      if (value.text === '') continue;
      const file = path.resolve(this.#context.project, value.text);
      if (existsSync(file)) found[name] = file;
      else
        this.refuse(
          'SETTING_INVALID',
          value,
          `${name} names ${value.text}, which does not exist`,
          'write the path of the file',
        );
    }
    return found;
  }

  checkToken(): void {
    const token = this.value('github_token');
    if (/\s/.test(token.text.trim())) {
      this.refuse(
        'SETTING_INVALID',
        token,
        'github_token holds a blank or a line break',
        'set it again, on one line',
      );
    }
  }
}

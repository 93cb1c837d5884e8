import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  checkBinding,
  type LoadedSettings,
  type LoadSettingsOptions,
  loadSettings,
} from '../../src/config/load-settings.ts';
import type { Settings } from '../../src/config/settings.ts';
import { formatDiagnostic } from '../../src/lib/diagnostics.ts';
import { temporaryDirectory } from '../helpers/git-repository.ts';

const PRODUCT = path.join(import.meta.dirname, '../..');
const DEFS = `type: elt.EltGithubComponent
attributes:
  repo_url: \${ELT_REPO_URL}
  repo_branch: \${ELT_REPO_BRANCH}
  github_token: \${GITHUB_TOKEN}
`;

let project: string;

beforeEach(() => {
  project = temporaryDirectory();
  write('package.json', '{"version": "1.0.0"}');
});

function write(name: string, text: string): void {
  const file = path.join(project, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function load(env: Record<string, string> = {}, more: Partial<LoadSettingsOptions> = {}): LoadedSettings {
  return loadSettings({ root: project, cwd: project, env, ...more });
}

function settings(env: Record<string, string> = {}, more: Partial<LoadSettingsOptions> = {}): Settings {
  const loaded = load(env, more);
  if (!('ok' in loaded)) throw new Error(loaded.diagnostics.map(formatDiagnostic).join('\n'));
  return loaded.ok;
}

function errors(env: Record<string, string> = {}, more: Partial<LoadSettingsOptions> = {}): string[] {
  const loaded = load(env, more);
  return 'ok' in loaded ? [] : loaded.diagnostics.map(formatDiagnostic);
}

describe('defaults', () => {
  it("the product's own defs.yaml without any variable serves the demo", () => {
    const loaded = loadSettings({
      root: PRODUCT,
      cwd: project,
      env: { ELT_HOME: 'home' },
      dotenvFile: '/none/.env',
    });
    expect(loaded).toMatchObject({
      ok: {
        demo: true,
        home: path.join(project, 'home'),
        host: '127.0.0.1',
        port: 3000,
        publicUrl: 'http://127.0.0.1:3000',
        apiToken: null,
        logLevel: 'info',
        components: [
          {
            name: 'elt_pipelines',
            dir: path.join(project, 'home/components/elt_pipelines'),
            repoUrl: path.join(project, 'home/demo.git'),
            ref: { kind: 'branch', name: 'main' },
            pipelinesDirectory: 'pipelines',
            autoRefresh: true,
            refreshIntervalMs: 60_000,
          },
        ],
      },
      warnings: [],
    });
  });

  it('without ELT_HOME state and mirror stand beside defs.yaml', () => {
    write('defs/shop/defs.yaml', DEFS);
    const { components, home } = settings({ ELT_REPO_URL: 'https://github.com/acme/x' });
    expect(home).toBe(path.join(project, '.elt'));
    expect(components[0]?.dir).toBe(path.join(project, 'defs/shop'));
  });
});

describe('precedence: flag > environment > .env > defs.yaml > default', () => {
  const literal = DEFS.replace('${ELT_REPO_BRANCH}', 'of-defs');
  it.each([
    ['defs.yaml', literal, '', {}, {}, 'of-defs', 'defs/shop/defs.yaml:4'],
    ['.env', literal, 'ELT_REPO_BRANCH=of-dotenv\n', {}, {}, 'of-dotenv', '.env'],
    [
      'environment',
      literal,
      'ELT_REPO_BRANCH=of-dotenv\n',
      { ELT_REPO_BRANCH: 'of-env' },
      {},
      'of-env',
      'environment',
    ],
    [
      'flag',
      literal,
      'ELT_REPO_BRANCH=x\n',
      { ELT_REPO_BRANCH: 'of-env' },
      { ELT_REPO_BRANCH: 'of-flag' },
      'of-flag',
      'flag',
    ],
    ['default', DEFS, 'ELT_REPO_BRANCH=\n', { ELT_REPO_BRANCH: '' }, {}, 'main', 'default'],
  ])('%s', (_, defs, dotenv, env, overrides, branch, origin) => {
    write('defs/shop/defs.yaml', defs);
    write('.env', dotenv);
    const loaded = load({ ELT_REPO_URL: 'https://github.com/a/b', ...env }, { overrides });
    expect(loaded).toMatchObject({ ok: { components: [{ ref: { kind: 'branch', name: branch } }] } });
    expect('ok' in loaded && loaded.origins.get('shop.repo_branch')).toBe(origin);
  });
});

it('fetches some paths alone when it is told which', () => {
  write(
    'defs/shop/defs.yaml',
    'type: elt.EltGithubComponent\nattributes:\n  repo_url: https://github.com/x/a\n  sparse_paths: [shared/, libs/python]\n',
  );
  expect(settings({}).components[0]?.sparsePaths).toEqual(['shared', 'libs/python']);
});

it('follows a range of versions', () => {
  write(
    'defs/shop/defs.yaml',
    'type: elt.EltGithubComponent\nattributes: {repo_url: https://github.com/x/a, repo_semver: ">=1.2 <2"}\n',
  );
  expect(settings({}).components[0]?.ref).toEqual({ kind: 'semver', range: '>=1.2 <2' });
});

it('several components each have their own file, of either type name', () => {
  write(
    'defs/a/defs.yaml',
    'type: elt.EltGithubComponent\nattributes: {repo_url: https://github.com/x/a, repo_tag: v1}\n',
  );
  write(
    'defs/b/defs.yaml',
    'type: dagster_elt_project.components.EltGithubComponent\nattributes:\n  repo_url: ../b\n  refresh_interval: 5m\n  auto_refresh: off\n  pipelines_directory: ./elt/pipelines/\n',
  );
  expect(settings({ ELT_REPO_URL: 'https://ignored.example/x' }).components).toMatchObject([
    { name: 'a', repoUrl: 'https://github.com/x/a', ref: { kind: 'tag', name: 'v1' } },
    {
      name: 'b',
      repoUrl: path.resolve(project, '../b'),
      refreshIntervalMs: 300_000,
      autoRefresh: false,
      pipelinesDirectory: 'elt/pipelines',
    },
  ]);
});

it('C4: the variables of steps are looked up anew each time; the environment outranks .env', () => {
  write('.env', 'SHOP_KEY=one\nBOTH=file\n');
  const { environment: first, ...rest } = settings({ BOTH: 'environment' });
  expect(first).toMatchObject({ SHOP_KEY: 'one', BOTH: 'environment' });
  expect(rest.components).toHaveLength(1);
  const live = settings({ BOTH: 'environment' });
  write('.env', 'SHOP_KEY=two\n');
  expect(live.environment).toEqual({ SHOP_KEY: 'two', BOTH: 'environment' });
});

it('tells which variables a token is made of, so that no step gets them', () => {
  write('defs/shop/defs.yaml', `${DEFS.replace('GITHUB_TOKEN', 'SHOP_GIT_TOKEN')}`);
  const [shop] = settings({ SHOP_GIT_TOKEN: 'abcdefgh', ELT_REPO_URL: 'https://h.example/o/r' }).components;
  expect(shop?.tokenVariables).toEqual(['SHOP_GIT_TOKEN']);
  expect(shop?.token()).toBe('abcdefgh');
});

it('the password of an address is in no message about it', () => {
  const message = JSON.stringify(load({ ELT_PUBLIC_URL: 'https://ada:abcdefgh@elt.example.com' }));
  expect(message).toContain('SETTING_INVALID');
  expect(message).not.toContain('abcdefgh');
});

it('G3: the token is looked up anew each time', () => {
  write('defs/shop/defs.yaml', DEFS);
  write('.env', 'GITHUB_TOKEN=first\n');
  const env: Record<string, string> = { ELT_REPO_URL: 'https://github.com/a/b' };
  const [component] = settings(env).components;
  expect(component?.token()).toBe('first');
  write('.env', 'GITHUB_TOKEN=second\n');
  expect(component?.token()).toBe('second');
  env.GITHUB_TOKEN = 'third';
  expect(component?.token()).toBe('third');
  write('.env', '');
  delete env.GITHUB_TOKEN;
  expect(component?.token()).toBeNull();
});

describe('mistakes', () => {
  it('every missing variable with file, line, column and the line to add', () => {
    write(
      'defs/shop/defs.yaml',
      'type: elt.EltGithubComponent\nattributes:\n  repo_url: "https://${GIT_HOST}/${TEAM}/x"\n  github_token: ${SHOP_TOKEN}\n',
    );
    expect(errors()).toEqual([
      'defs/shop/defs.yaml:3:22 error SETTING_MISSING the variable GIT_HOST is not set (add the line "GIT_HOST=<value>" to .env)',
      'defs/shop/defs.yaml:3:34 error SETTING_MISSING the variable TEAM is not set (add the line "TEAM=<value>" to .env)',
      'defs/shop/defs.yaml:4:17 error SETTING_MISSING the variable SHOP_TOKEN is not set (add the line "SHOP_TOKEN=<value>" to .env)',
    ]);
    expect(errors({ GIT_HOST: 'h', TEAM: 't', SHOP_TOKEN: 's' })).toEqual([]);
  });

  it.each([
    [
      'repo_ulr: x',
      '3:3 error CONFIG_UNKNOWN_KEY the key "repo_ulr" is not known (did you mean "repo_url"?)',
    ],
    ['repo_url: [a]', '3:13 error CONFIG_TYPE repo_url has to be a single value'],
    ['repo_url: a\n  repo_url: b', '4:3 error YAML_DUPLICATE_KEY Map keys must be unique'],
    ['refresh_interval: soon', '3:21 error SETTING_INVALID refresh_interval is "soon"'],
    ['auto_refresh: maybe', '3:17 error SETTING_INVALID auto_refresh is "maybe"'],
    ['repo_branch: --upload-pack=x', '3:16 error SETTING_INVALID repo_branch is "--upload-pack=x"'],
    ['repo_commit: abc', '3:16 error SETTING_INVALID repo_commit is "abc"'],
    [
      'repo_tag: a\n  repo_branch: b',
      '3:13 error SETTING_INVALID two of repo_branch, repo_tag, repo_commit and repo_semver are set',
    ],
    ['repo_semver: newest', '3:16 error SETTING_INVALID repo_semver is "newest"'],
    ['pipelines_directory: ../up', '3:24 error SETTING_INVALID pipelines_directory is "../up"'],
    [
      'github_app: {app_id: 1}',
      '3:24 error SETTING_MISSING github_app.installation_id and github_app.private_key_file are missing',
    ],
    ['github: {statuses: maybe}', '3:22 error SETTING_INVALID github.statuses is "maybe"'],
    ['github: {statuses: true}', 'error SETTING_INVALID statuses and comments need a repository on GitHub'],
    [
      'repo_url: https://github.com/a/b\n  github: {pr_comments: true}',
      '4:25 error SETTING_MISSING statuses and comments need github_token or github_app',
    ],
    [
      'repo_url: https://github.com/a/b\n  github: {api_url: "http://example.com"}',
      '4:21 error SETTING_INVALID github.api_url is "http://example.com"',
    ],
    ['sparse_paths: [../x]', '3:17 error SETTING_INVALID sparse_paths is "../x"'],
    ['sparse_paths: {a: b}', '3:17 error CONFIG_TYPE sparse_paths has to be a list of texts'],
    ['submodules: true', '3:3 error CONFIG_VALUE "submodules" is not supported in this release'],
    ['ssh: {key_file: none}', '3:19 error SETTING_INVALID ssh.key_file names none, which does not exist'],
    ['repo_url: "a', 'error YAML_SYNTAX'],
    ['repo_url: ${A', '3:13 error SETTING_INVALID "${A" cannot be read'],
  ])('%s', (line, message) => {
    write('defs/shop/defs.yaml', `type: elt.EltGithubComponent\nattributes:\n  ${line}\n`);
    expect(errors().join('\n')).toContain(message);
  });

  it.each([
    [{ ELT_PORT: 'x' }, 'ELT_PORT (environment) is "x"'],
    [{ ELT_PORT: '70000' }, 'ELT_PORT (environment) is "70000"'],
    [{ ELT_MAX_CONCURRENT: '0' }, 'ELT_MAX_CONCURRENT (environment) is "0"'],
    [{ ELT_WARM_STARTS: 'sometimes' }, 'ELT_WARM_STARTS (environment) is "sometimes"'],
    [{ ELT_LOG_LEVEL: 'loud' }, 'ELT_LOG_LEVEL (environment) is "loud"'],
    [{ ELT_PASS_ENV: 'A,b-c' }, 'ELT_PASS_ENV (environment) is "A,b-c"'],
    [{ ELT_ALERT_ENV: 'A b-c' }, 'ELT_ALERT_ENV (environment) is "A b-c"'],
    [{ ELT_ALERT_HOSTS: 'https://a.b' }, 'ELT_ALERT_HOSTS (environment) is "https://a.b"'],
    [{ ELT_SECRETS_DIR: 'nowhere' }, 'ELT_SECRETS_DIR (environment) is "nowhere"'],
    [{ ELT_PUBLIC_URL: 'ftp://x' }, 'ELT_PUBLIC_URL (environment) is "ftp://x"'],
  ])('%j', (env, message) => {
    expect(errors(env).join('\n')).toContain(message);
  });

  it('all at once, of files and variables', () => {
    write('defs/a/defs.yaml', 'type: wrong\n');
    write('defs/b/defs.yaml', 'attributes:\n  repo_url: ${NONE}\n');
    write('.env', 'ELT_PORT=x\nELT_LOG_LEVEL=y\n');
    expect(
      errors({}, { overrides: { ELT_HOST: 'a b' } }).map((text) => text.replace(/ (\(|is ).*/, '')),
    ).toEqual([
      'defs/a/defs.yaml:1:7 error CONFIG_VALUE "wrong"',
      'defs/b/defs.yaml:1:1 error CONFIG_MISSING_KEY the key type',
      'error SETTING_INVALID ELT_PORT',
      'error SETTING_INVALID ELT_LOG_LEVEL',
      'error SETTING_INVALID ELT_HOST',
    ]);
  });

  it('a secret is in no message', () => {
    write('defs/shop/defs.yaml', DEFS);
    const text = errors({ GITHUB_TOKEN: 'ghp_secret with blank', ELT_PORT: 'x' }).join('\n');
    expect(text).toContain('github_token holds a blank');
    expect(text).not.toContain('ghp_secret');
  });
});

it.each([
  ['127.0.0.1', null, true],
  ['localhost', null, true],
  ['::1', null, true],
  ['0.0.0.0', null, false],
  ['0.0.0.0', 'token', true],
  ['192.168.1.2', null, false],
])('binding to %s with token %s: %s', (host, apiToken, fine) => {
  expect(checkBinding({ host, apiToken }) === null).toBe(fine);
});

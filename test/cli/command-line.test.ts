import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { ERRORS } from '../../src/lib/errors.ts';
import { temporaryDirectory } from '../helpers/git-repository.ts';
import { runCli } from '../helpers/run-cli.ts';

describe('usage', () => {
  it('prints its version and help on stdout', async () => {
    const [version, help] = await Promise.all([runCli(['--version']), runCli(['--help'])]);
    expect(version).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      stderr: '',
    });
    expect(help).toMatchObject({ code: 0, stderr: '' });
    for (const group of ['Develop', 'Run', 'Inspect', 'Operate'])
      expect(help.stdout).toContain(`\n${group}\n`);
  });

  it.each([
    [['lst'], /Did you mean list\?/],
    [['materialise', 'x'], /Did you mean materialize\?/],
    [['list', '--jsn'], /Did you mean --json\?/],
    [['logs'], /missing required argument 'run-or-asset'/],
    [['runs', '--limit', 'many'], /whole number/],
    [['schedules', 'begin', 'x'], /start or stop/],
    [['partitions', 'x', '--status', 'gone'], /Allowed choices/],
    [['dev', '70000'], /"70000" is no port/],
    [['materialize', 'x', '--partition-range', 'a'], /A\.\.\.B/],
    [['materialize', 'x', '--config', '[]'], /JSON object/],
  ])('refuses %j with 2 and does nothing', async (args, message) => {
    const home = temporaryDirectory();
    const result = await runCli(args, { env: { ELT_HOME: join(home, 'never-made') } });
    expect(result.code, result.stderr).toBe(2);
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(message);
  });

  it('shows for every command an example first, its usage, and --json', () => {
    const program = createProgram(() => undefined);
    expect(program.commands.length).toBeGreaterThan(15);
    for (const command of program.commands) {
      const help = command.helpInformation();
      expect(help, command.name()).toMatch(/^ {2}(elt |eval )/);
      expect(help).toContain(`Usage: elt ${command.name()}`);
      expect(help).toContain('--json');
      expect(help.split('\n').length, command.name()).toBeLessThanOrEqual(24);
    }
  });

  it('reports a service that does not answer, as text and as JSON', async () => {
    const env = { ELT_URL: 'http://127.0.0.1:1' };
    const text = await runCli(['list'], { env });
    expect(text).toMatchObject({ code: ERRORS.SERVICE_UNREACHABLE.exit, stdout: '' });
    expect(text.stderr).toMatch(
      /^error SERVICE_UNREACHABLE no service answers at http:\/\/127\.0\.0\.1:1\n {2}\S/,
    );
    const json = await runCli(['list', '--json'], { env });
    expect(JSON.parse(json.stdout)).toMatchObject({ error: { code: 'SERVICE_UNREACHABLE' } });
  });
});

describe('elt validate', () => {
  function workingCopy(files: Readonly<Record<string, string>>): string {
    const dir = temporaryDirectory();
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      writeFileSync(join(dir, path), text);
    }
    return dir;
  }
  const GOOD = {
    'pipelines/python/good/main.py': 'print(1)\n',
    'pipelines/python/good/dagster.yaml': 'script: { command: [python, main.py] }\n',
  };
  const BROKEN = {
    ...GOOD,
    'pipelines/python/bad/main.py': 'print(1)\n',
    'pipelines/python/bad/dagster.yaml':
      'script: { command: [python, main.py] }\nshedule: { enabled: false }\npartitions:\n  enabled: true\n  type: time\n  time: { start: "2026-01-01", cron_schedule: "0 0 * *" }\n',
  };

  it('says what is there, and 0, when all is well', async () => {
    const result = await runCli(['validate', workingCopy(GOOD)]);
    expect(result).toMatchObject({ code: 0, stdout: '' });
    expect(result.stderr).toMatch(/^1 pipeline, 1 asset: 0 errors, 0 warnings in /);
  });

  it('prints every mistake with its place on stdout, and 3', async () => {
    const dir = workingCopy(BROKEN);
    const result = await runCli(['validate'], { cwd: dir });
    expect(result.code).toBe(3);
    expect(result.stdout).toMatch(
      /^pipelines\/python\/bad\/dagster\.yaml:2:1 error CONFIG_UNKNOWN_KEY .*schedule/m,
    );
    expect(result.stdout).toMatch(
      /^pipelines\/python\/bad\/dagster\.yaml:6:\d+ error PARTITION_CRON_INVALID /m,
    );
    expect(result.stderr).toMatch(/2 errors/);
  });

  it('gives one JSON document, and annotations for GitHub', async () => {
    const dir = workingCopy(BROKEN);
    const [json, github] = await Promise.all([
      runCli(['validate', dir, '--json']),
      runCli(['validate', dir, '--format', 'github']),
    ]);
    expect(json.code).toBe(3);
    expect(JSON.parse(json.stdout)).toMatchObject({ errors: 2, diagnostics: [{ line: 2 }, { line: 6 }] });
    expect(github.stdout).toMatch(
      /^::error file=pipelines\/python\/bad\/dagster\.yaml,line=2,col=1,title=CONFIG_UNKNOWN_KEY::/m,
    );
  });

  it('names a path that is not there', async () => {
    const result = await runCli(['validate', '/no/such/folder']);
    expect(result).toMatchObject({ code: 3, stdout: '' });
    expect(result.stderr).toMatch(/^error PIPELINES_DIRECTORY_MISSING \/no\/such\/folder /);
  });
});

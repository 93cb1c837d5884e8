import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { formatDiagnostic } from '../../src/lib/diagnostics.ts';
import { bare, type ComponentWorld, componentWorld, condition, pythonFolder } from '../helpers/component.ts';
import { createRepository, GIT_ENVIRONMENT, type TestRepository } from '../helpers/git-repository.ts';
import { startGitServer } from '../helpers/git-server.ts';

const LFS = `version https://git-lfs.github.com/spec/v1\noid sha256:${'1'.repeat(64)}\nsize 12345\n`;

/** An entry as a tree object holds it, whatever a Git client would say to it. */
interface Entry {
  readonly mode: string;
  readonly name: string;
  /** Of a blob or link. */
  readonly content?: string;
  /** Entries below it. */
  readonly below?: readonly Entry[];
}

/** What no disk and no page may see, by what it is called here; with how the refusal says it. */
const HOSTILE: Readonly<Record<string, readonly [readonly Entry[], RegExp]>> = {
  submodule: [[{ mode: '160000', name: 'sub' }], /submodule/],
  lfs: [[{ mode: '100644', name: 'big.csv', content: LFS }], /Git LFS pointer/],
  link_out: [
    [{ mode: '120000', name: 'link', content: '../../../../etc/passwd' }],
    /leads out of the folder/,
  ],
  link_absolute: [[{ mode: '120000', name: 'link', content: '/etc/passwd' }], /leads out of the folder/],
  link_beside: [[{ mode: '120000', name: 'link', content: '../good_one/run.py' }], /leads out of the folder/],
  link_loop: [
    [
      { mode: '120000', name: 'one', content: 'two' },
      { mode: '120000', name: 'two', content: 'one' },
    ],
    /leads to a link/,
  ],
  link_itself: [[{ mode: '120000', name: 'link', content: 'link' }], /leads to a link or to itself/],
  parent: [
    [{ mode: '40000', name: '..', below: [{ mode: '100644', name: 'evil.py', content: '' }] }],
    /cannot be written/,
  ],
  case_double: [
    [
      { mode: '100644', name: 'Data.csv', content: 'a' },
      { mode: '100644', name: 'data.csv', content: 'b' },
    ],
    /differ only in case/,
  ],
  newline: [[{ mode: '100644', name: 'a\nb.py', content: '' }], /control character/],
  right_to_left: [[{ mode: '100644', name: 'a\u202eyp.exe', content: '' }], /control character/],
  too_long: [[{ mode: '100644', name: 'n'.repeat(256), content: '' }], /cannot be written/],
  // What discovery does not read is laid out for a step all the same.
  in_skipped: [
    [
      {
        mode: '40000',
        name: '.venv',
        below: [{ mode: '120000', name: 'python', content: '/usr/bin/python' }],
      },
    ],
    /leads out of the folder/,
  ],
  // Git reads any other kind of file as a link to a repository.
  fifo: [[{ mode: '10644', name: 'pipe', content: '' }], /submodule/],
  device: [[{ mode: '20644', name: 'null', content: '' }], /submodule/],
};

/** The words of YAML 1.1, and what has an own meaning on other systems, read as they are meant. */
const HARMLESS_YAML: Readonly<Record<string, string>> = {
  bom: '\uFEFFscript: {command: [python, run.py]}\ngroup: read\n',
  crlf: 'script:\r\n  command: [python, run.py]\r\ngroup: read\r\n',
  words: 'script: {command: [python, run.py]}\nschedule: {enabled: off}\ngroup: read\n',
};

/** YAML that is refused: text, where, and the code. */
const HOSTILE_YAML: Readonly<Record<string, readonly [string, string]>> = {
  aliases: [bomb(), 'YAML_TOO_LARGE'],
  depth: [`group: ${'['.repeat(100_000)}`, '1:87 YAML_TOO_LARGE'],
  large: [`# ${'a'.repeat(50_000_000)}`, '1:1 YAML_TOO_LARGE'],
  tabs: ['script:\n\tcommand: [python, run.py]\n', '2:1 YAML_SYNTAX'],
  documents: ['group: a\n---\ngroup: b\n', '2:1 YAML_SYNTAX'],
  duplicates: ['group: a\ngroup: b\n', '2:1 YAML_DUPLICATE_KEY'],
  no_as_text: ['script: {command: [python, run.py]}\ntags: {pii: no}\n', '2:13 CONFIG_TYPE'],
  octal: ['script: {command: [python, run.py]}\ntags: {zip: 0123}\n', '2:13 CONFIG_TYPE'],
  sexagesimal: ['script: {command: [python, run.py]}\nretries: 1:30\n', '2:10 CONFIG_TYPE'],
};

function bomb(): string {
  const level = (n: number): string =>
    `  a${n}: &a${n} [${Array.from({ length: 10 }, () => (n === 0 ? 'x' : `*a${n - 1}`)).join(',')}]`;
  return `x-bomb:\n${Array.from({ length: 10 }, (_, n) => level(n)).join('\n')}\n`;
}

function write(repository: TestRepository, entries: readonly Entry[]): string {
  const git = (args: readonly string[], input: string): string =>
    execFileSync('git', args, { cwd: repository.dir, env: GIT_ENVIRONMENT, input, encoding: 'utf8' }).trim();
  const lines = entries.map(({ mode, name, content, below }) => {
    if (below !== undefined) return `${mode} tree ${write(repository, below)}\t${name}`;
    if (content === undefined) return `${mode} commit ${'1'.repeat(40)}\t${name}`;
    return `${mode} blob ${git(['hash-object', '-w', '--stdin'], content)}\t${name}`;
  });
  return git(['mktree', '-z', '--missing'], lines.map((line) => `${line}\0`).join(''));
}

/** A component that serves these folders and `good_one`, all in order, from a Git server. */
async function serving(
  names: readonly string[],
): Promise<{ repository: TestRepository; world: ComponentWorld; good: string }> {
  const repository = createRepository();
  const files = [...names, 'good_one'].flatMap((name) => Object.entries(pythonFolder(name)));
  const good = repository.push(Object.fromEntries(files));
  const server = await startGitServer(path.dirname(repository.bare));
  const world = await componentWorld(`${server.url}/remote.git`);
  await world.refresh();
  return { repository, world, good };
}

function states(world: ComponentWorld): Record<string, string> {
  const pipelines = world.service.component('shop')!.snapshot!.pipelines;
  return Object.fromEntries(pipelines.map((one) => [bare(one.name), `${one.status} ${one.code.commit}`]));
}

it('G12: of folders with hostile entries each is held where it was, and told of; the others go on', async () => {
  const names = Object.keys(HOSTILE);
  const { repository, world, good } = await serving(names);
  repository.push(pythonFolder('good_one', 'group: new\n'));
  const run: readonly Entry[] = [
    { mode: '100644', name: 'dagster.yaml', content: 'script: {command: [python, run.py]}\n' },
    { mode: '100644', name: 'run.py', content: '' },
  ];
  const folders = Object.entries(HOSTILE).map(([name, [entries]]) => ({
    mode: '40000',
    name,
    below: [...entries, ...run],
  }));
  const longest = {
    mode: '40000',
    name: 'longest',
    below: [{ mode: '100644', name: 'n'.repeat(255), content: 'long' }, ...run],
  };
  const goodTree = repository.git('rev-parse', 'HEAD:pipelines/python/good_one').trim();
  const tree = writeRoot(repository, [...folders, longest], goodTree);
  const commit = repository.git('commit-tree', tree, '-p', 'HEAD', '-m', 'hostile').trim();
  repository.git('push', '--quiet', 'origin', `${commit}:refs/heads/main`);

  const outcome = await world.refresh();
  expect(outcome).toMatchObject({ status: 'applied', commit, error: null });
  expect(states(world)).toEqual({
    ...Object.fromEntries(names.map((name) => [name, `held ${good}`])),
    good_one: `current ${commit}`,
    longest: `current ${commit}`,
  });
  for (const [name, [, message]] of Object.entries(HOSTILE)) {
    const told = outcome.diagnostics.filter((one) => bare(one.pipeline ?? '') === name);
    expect([name, told.map((one) => one.code)]).toEqual([name, told.map(() => 'PATH_REFUSED')]);
    expect(told[0]?.message, name).toMatch(message);
    expect(told[0]?.hint, name).toMatch(/./);
    // One line, in the order in which it is read.
    expect(formatDiagnostic(told[0]!), name).not.toMatch(/[\n\u202a-\u202e]/);
  }
  expect(condition(world, 'Degraded')).toMatchObject({ status: 'True', reason: 'PipelinesHeld' });
  // Each still runs from what it was; the longest name that a disk takes is laid out.
  for (const { code } of world.service.component('shop')!.snapshot!.pipelines) {
    const dir = await world.service.code.materialise(code);
    expect(existsSync(path.join(dir, 'run.py'))).toBe(true);
    if (code.dir.endsWith('longest')) expect(readdirSync(dir)).toContain('n'.repeat(255));
  }
});

function writeRoot(repository: TestRepository, folders: readonly Entry[], goodTree: string): string {
  const git = (args: readonly string[], input: string): string =>
    execFileSync('git', args, { cwd: repository.dir, env: GIT_ENVIRONMENT, input, encoding: 'utf8' }).trim();
  const lines = folders.map(({ name, below = [] }) => `40000 tree ${write(repository, below)}\t${name}\0`);
  const python = git(['mktree', '-z'], `${lines.join('')}40000 tree ${goodTree}\tgood_one\0`);
  const pipelines = git(['mktree', '-z'], `40000 tree ${python}\tpython\0`);
  return git(['mktree', '-z'], `40000 tree ${pipelines}\tpipelines\0`);
}

it('C3: of folders with hostile YAML each is held with the place, soon; the others go on', async () => {
  const names = [...Object.keys(HOSTILE_YAML), ...Object.keys(HARMLESS_YAML)];
  const { repository, world, good } = await serving(names);
  const yaml: Record<string, string> = {};
  for (const [name, [text]] of Object.entries(HOSTILE_YAML))
    yaml[`pipelines/python/${name}/dagster.yaml`] = text;
  for (const [name, text] of Object.entries(HARMLESS_YAML))
    yaml[`pipelines/python/${name}/dagster.yaml`] = text;
  const commit = repository.push({ ...yaml, ...pythonFolder('good_one', 'group: new\n') });
  const before = process.cpuUsage();
  const outcome = await world.refresh();
  // Processor time, so that a busy machine is no failure; each hazard alone would take minutes or all memory.
  expect(process.cpuUsage(before).user / 1e6).toBeLessThan(5);
  expect(outcome).toMatchObject({ status: 'applied', commit, error: null });
  expect(states(world)).toEqual({
    ...Object.fromEntries(Object.keys(HOSTILE_YAML).map((name) => [name, `held ${good}`])),
    ...Object.fromEntries(
      [...Object.keys(HARMLESS_YAML), 'good_one'].map((name) => [name, `current ${commit}`]),
    ),
  });
  for (const [name, [, told]] of Object.entries(HOSTILE_YAML)) {
    const lines = outcome.diagnostics
      .filter((one) => one.file === `pipelines/python/${name}/dagster.yaml`)
      .map(({ line, column, code }) => `${line}:${column} ${code}`);
    expect(lines, name).toHaveLength(1);
    expect(lines[0], name).toContain(told);
  }
  const groups = world.service
    .component('shop')!
    .snapshot!.pipelines.map(({ name, config }) => [bare(name), config.group]);
  for (const name of Object.keys(HARMLESS_YAML)) expect(groups).toContainEqual([name, 'read']);
});

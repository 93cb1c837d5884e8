import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { normaliseRequirements, readRequirements } from '../../../src/runners/environments/requirements.ts';
import { isNetworkReason, toolReason } from '../../../src/runners/environments/tool-reason.ts';

async function folder(files: Record<string, string>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'elt-requirements-'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
  return root;
}

describe('readRequirements', () => {
  it.each([
    ['nothing', {}, {}, 'default'],
    ['requirements.txt', { 'requirements.txt': 'a' }, {}, 'requirements'],
    ['a committed lock before it', { 'requirements.txt': 'a', 'requirements.lock': 'a==1' }, {}, 'lock'],
    ['a project with its lock', { 'uv.lock': '', 'pyproject.toml': '' }, {}, 'uv_lock'],
    ['a uv.lock alone says nothing', { 'uv.lock': '' }, {}, 'default'],
    [
      'the named file first',
      { 'requirements.lock': 'a==1', 'req/prod.txt': 'a' },
      { requirements: 'req/prod.txt' },
      'requirements',
    ],
    ['a named lock', { 'prod.lock': 'a==1' }, { requirements: 'prod.lock' }, 'lock'],
  ])('%s', async (_, files, config, kind) => {
    expect((await readRequirements(config, await folder(files))).kind).toBe(kind);
  });

  it('names a file that is missing', async () => {
    await expect(readRequirements({ requirements: 'x.txt' }, await folder({}))).rejects.toMatchObject({
      code: 'ENVIRONMENT_FAILED',
      message: 'environment.requirements names x.txt, which is not in the folder',
    });
  });

  it('has one digest for equal requirements, and another when an included file changes', async () => {
    const digest = async (files: Record<string, string>): Promise<unknown> => {
      const found = await readRequirements({}, await folder(files));
      return found.kind === 'requirements' ? found.inputsDigest : found;
    };
    const first = await digest({ 'requirements.txt': 'b\na\n-r more/extra.txt', 'more/extra.txt': 'c>=1' });
    expect(
      await digest({
        'requirements.txt': '# hello\na  # why\n-r more/extra.txt\nb',
        'more/extra.txt': 'c>=1\n',
      }),
    ).toBe(first);
    expect(
      await digest({ 'requirements.txt': 'b\na\n-r more/extra.txt', 'more/extra.txt': 'c>=2' }),
    ).not.toBe(first);
  });
});

it('normalises continued lines of a lock', () => {
  expect(normaliseRequirements('b==2 \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\na==1 ; x\n')).toBe(
    'a==1 ; x\nb==2 --hash=sha256:1 --hash=sha256:2',
  );
});

describe('toolReason', () => {
  it("is uv's sentence without its tree", () => {
    const stderr =
      '\u001B[31m  × \u001B[0mNo solution found when resolving dependencies:\n  ╰─▶ Because a was not found\n      and you require a, we conclude\n';
    expect(toolReason(stderr)).toBe(
      'No solution found when resolving dependencies: Because a was not found and you require a, we conclude',
    );
  });

  it('starts at the error and masks passwords of an index', () => {
    const stderr =
      'Resolved 3 packages in 1ms\nerror: Failed to fetch: `https://me:hunter22@host/simple/a/`\n  Caused by: dns error';
    const reason = toolReason(stderr);
    expect(reason).toBe('Failed to fetch: `https://me:***@host/simple/a/` Caused by: dns error');
    expect(isNetworkReason(reason)).toBe(true);
  });
});

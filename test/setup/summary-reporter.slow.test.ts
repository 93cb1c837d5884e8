import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Outcome, repository, run } from './checkout.ts';

const files = {
  'good.test.ts': `import { it } from 'vitest';
it('passes', () => {});
it('needs a browser', (ctx) => ctx.skip('no Chromium'));
`,
  'bad.test.ts': `import { beforeAll, describe, it } from 'vitest';
it('fails', () => { throw new Error('wrong'); });
it('throws late', () => new Promise((resolve) => setTimeout(() => { resolve(); throw new Error('unhandled'); })));
describe('a suite', () => { beforeAll(() => { throw new Error('hook'); }); it('never runs', () => {}); });
`,
  'unloadable.test.ts': "import './missing.ts';\n",
};

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'elt reporter '));
  await mkdir(join(root, 'test'));
  await mkdir(join(root, 'scripts'));
  for (const file of ['vitest.config.ts', 'scripts/summary-reporter.ts', 'package.json']) {
    await cp(join(repository, file), join(root, file));
  }
  await symlink(join(repository, 'node_modules'), join(root, 'node_modules'));
  for (const [name, content] of Object.entries(files)) await writeFile(join(root, 'test', name), content);
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function vitest(args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  const program = join(root, 'node_modules/vitest/vitest.mjs');
  return run(process.execPath, [program, 'run', '--project', 'quick', ...args], {
    cwd: root,
    env: { CI: '', ...env },
  });
}

function lastLines(outcome: Outcome, count: number): string[] {
  return outcome.stdout.trimEnd().split('\n').slice(-count);
}

it('ends with the counts, after the reason of each skip', async () => {
  const outcome = await vitest(['good']);
  expect(outcome.code).toBe(0);
  expect(lastLines(outcome, 2)).toEqual([
    'skipped: test/good.test.ts > needs a browser: no Chromium',
    '1 passed, 0 failed, 1 skipped',
  ]);
});

it('fails on skips in CI, but not on tests that a name filters out', async () => {
  const all = await vitest(['good'], { CI: 'true' });
  expect(all.code).toBe(1);
  const filtered = await vitest(['good', '-t', 'passes'], { CI: 'true' });
  expect(filtered.code).toBe(0);
  expect(lastLines(filtered, 1)).toEqual(['1 passed, 0 failed, 0 skipped']);
});

it('counts tests, hooks, unhandled errors and modules that do not load', async () => {
  const outcome = await vitest(['bad', 'unloadable']);
  expect(outcome.code).toBe(1);
  expect(lastLines(outcome, 1)).toEqual(['1 passed, 4 failed, 1 skipped']);
});

it('counts a failed set-up, and a run without tests', async () => {
  const failedSetUp = await vitest(['good'], { ELT_TEST_SETUP_FAILURE: 'the page does not build' });
  expect(failedSetUp.code).toBe(1);
  expect(lastLines(failedSetUp, 2)).toEqual([
    'failed: the page does not build',
    '1 passed, 1 failed, 1 skipped',
  ]);
  const nothing = await vitest(['no-such-file']);
  expect(nothing.code).toBe(1);
  expect(lastLines(nothing, 1)).toEqual(['0 passed, 1 failed, 0 skipped']);
});

import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { installedCheckout, type Outcome, run } from './checkout.ts';

let root: string;
let env: { PATH: string };
let remove: () => Promise<void>;

beforeAll(async () => {
  ({ root, env, remove } = await installedCheckout());
});
afterAll(() => remove());

const build = (): Promise<Outcome> => run('sh', [join(root, 'scripts/build-ui.sh')], { env });
const write = (file: string, content: string): Promise<void> => writeFile(join(root, 'ui', file), content);
const page = (): Promise<string> => readFile(join(root, 'ui/dist/index.html'), 'utf8');

const built = { code: 0, stderr: expect.stringMatching(/^elt: building the page/) };
const skipped = { code: 0, stdout: '', stderr: '' };

// One story, in order: each test starts from the page that the one before it left.
it('has nothing to do without a page', async () => {
  expect(await build()).toEqual(skipped);
  expect(existsSync(join(root, 'ui/dist'))).toBe(false);
});

it('builds the page, and not again', async () => {
  await write('vite.config.ts', 'export default {};\n');
  await write('index.html', '<title>first</title>\n');
  await write('note.txt', '');
  expect(await build()).toMatchObject(built);
  expect(await page()).toContain('first');
  expect(await build()).toEqual(skipped);
});

it('builds it for each start that finds a change, once', async () => {
  await write('index.html', '<title>second</title>\n');
  const outcomes = await Promise.all([build(), build()]);
  expect(outcomes.filter(({ stderr }) => stderr.includes('building'))).toHaveLength(1);
  expect(await page()).toContain('second');
  await rm(join(root, 'ui/note.txt'));
  expect(await build()).toEqual(skipped);
});

it('keeps the old page when the new one does not build', async () => {
  await write('index.html', '<title>third</title><script type="module" src="./missing.js"></script>\n');
  expect((await build()).code).not.toBe(0);
  expect(await page()).toContain('second');
  expect((await build()).code).not.toBe(0);
});

it('recovers', async () => {
  await write('index.html', '<title>fourth</title>\n');
  expect(await build()).toMatchObject(built);
  expect(await page()).toContain('fourth');
});

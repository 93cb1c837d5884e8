import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openTestEngine } from '../helpers/engine.ts';

const MB = 1024 * 1024;

it('E4: 130 MB of log with a line of 30 MB, bytes that are no text and a secret: streamed, cut, masked; who reads lives', async () => {
  const home = mkdtempSync(join(tmpdir(), 'elt-output-'));
  const test = await openTestEngine({
    home,
    environment: { PATH: process.env['PATH']!, MY_PASSWORD: 'correct-horse-battery' },
  });
  onTestFinished(async () => {
    await test.close();
    rmSync(home, { recursive: true, force: true });
  });
  const text = `
import os, sys
out = sys.stdout.buffer
secret = os.environ["PASSWORD"].encode()
out.write(b"first " + secret + b" \\xff\\xfe\\n")
out.write(b"x" * ${30 * MB} + secret + b"\\n")
block = b"".join(b"line %06d " % i + b"y" * 86 + b"\\n" for i in range(10_000))
for _ in range(100):
    out.write(block)
out.write(b"the end\\n")
`;
  const before = process.memoryUsage().rss;
  let most = before;
  let reads = 0;
  let slowest = 0;
  const runId = await test.launch([
    { stepKey: 'a', files: { 'main.py': text }, config: { env: { PASSWORD: '${MY_PASSWORD}' } } },
  ]);
  const ref = { runId, stepKey: 'a', attempt: 1 };
  // A page that follows the log: asks for its end whenever there is more.
  const unsubscribe = test.logs.subscribe(runId, () => {
    most = Math.max(most, process.memoryUsage().rss);
    const began = performance.now();
    void test.logs.read(ref, { tail: 100, limit: 100 }).then(() => {
      reads += 1;
      slowest = Math.max(slowest, performance.now() - began);
    });
  });
  await test.engine.finished(runId);
  unsubscribe();

  expect((await test.store.runs.state(runId))!.status).toBe('SUCCESS');
  const size = await test.logs.size(ref);
  expect(size).toBeGreaterThan(99 * MB);
  expect(size).toBeLessThan(101 * MB);
  const { lines } = await test.logs.read(ref, { fromLine: 1, limit: 3 });
  expect(lines[0]!.text).toBe('first *** ��');
  expect(lines[1]!.text.length).toBeLessThan(10 * MB + 100);
  expect(lines[1]!.text.endsWith('[line cut at 10 MB]')).toBe(true);
  expect(lines[2]!.text).toMatch(/^line 000000 y+$/);
  const { lines: last } = await test.logs.read(ref, { tail: 2, limit: 2 });
  expect(last.map((line) => [line.stream, line.text])).toEqual([
    ['system', 'output is larger than 100 MB: what follows is dropped'],
    ['system', expect.stringMatching(/^\d+ lines were dropped$/)],
  ]);
  for (const name of readdirSync(join(home, 'logs'), { recursive: true })) {
    const file = join(home, 'logs', String(name));
    if (statSync(file).isFile()) expect(readFileSync(file).includes('correct-horse')).toBe(false);
  }
  expect(reads).toBeGreaterThan(0);
  process.stdout.write(
    `100 MB of log: at most ${Math.round((most - before) / MB)} MiB more held, ${reads} reads of its end, slowest ${Math.round(slowest)} ms\n`,
  );
  expect((most - before) / MB).toBeLessThan(200);
});

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openTestEngine, type TestEngine } from '../helpers/engine.ts';

let home: string;
let test: TestEngine;
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'elt-isolation-'));
  test = await openTestEngine({ home });
});
afterEach(async () => {
  await test.close();
  rmSync(home, { recursive: true, force: true });
});

it('gives each attempt a private scratch of its own, readable by nobody else, gone with it', async () => {
  const text = `
import os, stat
mode = lambda path: oct(stat.S_IMODE(os.stat(path).st_mode))
home = os.environ["HOME"]
step = os.path.dirname(home)
print(home, mode(home), mode(step), sorted(os.listdir(home)))
print(sorted({mode(os.path.join(step, name)) for name in os.listdir(step) if os.path.isfile(os.path.join(step, name))}))
open(os.path.join(home, "left"), "w").write("mine")
raise SystemExit(os.environ["ELT_ATTEMPT"] == "1")
`;
  const steps = ['a', 'b'].map((stepKey) => ({
    stepKey,
    files: { 'main.py': text },
    retry: { maxRetries: 1, delay: 0 },
  }));
  const runId = await test.run(steps);
  const homes = new Set<string>();
  for (const stepKey of ['a', 'b']) {
    for (const attempt of [1, 2]) {
      const [first, files] = await test.log(runId, stepKey, attempt);
      const [, folder, ...said] = first!.split(' ');
      expect(said).toEqual(['0o700', '0o700', '[]']);
      expect(files).toBe("stdout ['0o600']");
      homes.add(folder!);
    }
  }
  expect(homes.size).toBe(4);
  await test.close();
  for (const folder of homes) expect(existsSync(folder)).toBe(false);
});

it('lets a step change its working directory, and never the tree of the revision', async () => {
  const files = {
    'main.py':
      'import os\nopen("main.py", "a").write("# changed")\nos.remove("data/rows.csv")\nopen("new", "w")\n',
    'data/rows.csv': 'id\n1\n',
  };
  const treeId = 'tree-of-this-test';
  const runId = await test.run([{ stepKey: 'a', files, treeId }]);
  expect((await test.store.runs.state(runId))!.status).toBe('SUCCESS');
  const tree = join(home, 'code', treeId);
  expect(readFileSync(join(tree, 'main.py'), 'utf8')).toBe(files['main.py']);
  expect(readFileSync(join(tree, 'data/rows.csv'), 'utf8')).toBe(files['data/rows.csv']);
  expect(readdirSync(tree).sort()).toEqual(['data', 'main.py']);
  expect(statSync(join(home, 'data/elt_pipelines')).isDirectory()).toBe(true);
});

it('leaves no zombie: neither of the service, nor of children that nobody waited for', async () => {
  const text = `
import os, sys
for _ in range(20):
    if os.fork() == 0:
        if os.fork() == 0:
            os._exit(0)
        os._exit(0)
sys.stdout.write("forked\\n")
`;
  const before = zombies();
  const runId = await test.run([{ stepKey: 'a', files: { 'main.py': text } }]);
  expect(await test.log(runId, 'a')).toEqual(['stdout forked']);
  await test.close();
  expect(zombies().filter((pid) => !before.includes(pid))).toEqual([]);
});

/** Ended processes that this one, or one below it, has not buried. */
function zombies(): number[] {
  const stats = new Map<number, { readonly state: string; readonly parent: number }>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      stats.set(Number(name), { state: state!, parent: Number(parent) });
    } catch {
      // Gone meanwhile.
    }
  }
  const isBelow = (pid: number): boolean => {
    for (let above = pid; stats.has(above); above = stats.get(above)!.parent)
      if (above === process.pid) return true;
    return false;
  };
  return [...stats].filter(([pid, { state }]) => state === 'Z' && isBelow(pid)).map(([pid]) => pid);
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { ROOT, testTools } from '../helpers/tool-environments.ts';

/** As a release of dlt would be whose pipeline has its methods from a class above. */
const SCRIPT = `
import dlt
from dlt.pipeline.pipeline import Pipeline
from elt_runner.dlt_look import Look

names = ("run", "load", "sync_destination")
for name in names:
    setattr(Pipeline.__bases__[0], name, vars(Pipeline)[name])
    delattr(Pipeline, name)
before = {name: getattr(Pipeline, name) for name in names}

def load():
    dlt.pipeline("shop", destination=dlt.destinations.duckdb("shop.duckdb")).run([{"id": 1}], table_name="orders")

look = Look()
look.through(load)
print(look.offered, [name for name in names if getattr(Pipeline, name) is not before[name] or name in vars(Pipeline)])
`;

it('code is looked at and loads nothing, also where dlt has its methods in another class', async () => {
  const home = mkdtempSync(join(tmpdir(), 'elt-look-'));
  try {
    const { python } = await testTools();
    const env = { PYTHONPATH: join(ROOT, 'python'), DLT_DATA_DIR: join(home, 'dlt'), HOME: home };
    const { stdout } = await execa(python, ['-c', SCRIPT], { cwd: home, env });
    expect(stdout).toBe("{'shop': {'orders': {'cursor_path': None, 'initial_value': None}}} []");
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});

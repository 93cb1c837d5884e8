import { describe, expect, it } from 'vitest';
import { scanRepository, suggestPipelinesDirectory } from '../../src/discovery/scan.ts';

function scan(paths: readonly string[], directory = 'pipelines'): { dirs: string[]; lines: string[] } {
  const files = paths.map((path) => ({ path, mode: '100644', oid: path, size: 1 }));
  const { candidates, diagnostics } = scanRepository(files, directory);
  return {
    dirs: candidates.map((candidate) => candidate.dir),
    lines: diagnostics.map(({ code, message, hint }) => `${code} ${message} (${hint})`),
  };
}

describe('pipeline folders', () => {
  it.each([
    ['by tool', ['pipelines/dlt/orders/pipeline.py'], ['pipelines/dlt/orders']],
    ['without a tool’s folder', ['pipelines/orders/pipeline.py'], ['pipelines/orders']],
    [
      'side by side',
      ['pipelines/dlt/b/pipeline.py', 'pipelines/a/replication.yml'],
      ['pipelines/a', 'pipelines/dlt/b'],
    ],
    [
      'each marker',
      [
        'pipelines/a/dbt_project.yml',
        'pipelines/b/replication.yaml',
        'pipelines/c/definitions.py',
        'pipelines/d/.dango/sources.yml',
        'pipelines/e/dagster.yaml',
        'pipelines/f/github_pipeline.py',
      ],
      ['pipelines/a', 'pipelines/b', 'pipelines/c', 'pipelines/d', 'pipelines/e', 'pipelines/f'],
    ],
    [
      'what lies inside one belongs to it',
      ['pipelines/a/pipeline.py', 'pipelines/a/lib/pipeline.py', 'pipelines/a/x/dagster.yaml'],
      ['pipelines/a'],
    ],
    [
      'hidden folders and those of tools are skipped',
      [
        'pipelines/ok/pipeline.py',
        'pipelines/.github/pipeline.py',
        'pipelines/__pycache__/x/pipeline.py',
        'pipelines/node_modules/x/pipeline.py',
        'pipelines/target/x/pipeline.py',
        'pipelines/venv/x/pipeline.py',
        'pipelines/myenv/pyvenv.cfg',
        'pipelines/myenv/lib/pipeline.py',
        'pipelines/dlt/.hidden/pipeline.py',
      ],
      ['pipelines/ok'],
    ],
    [
      'not files, not other folders',
      ['pipelines/pipeline.py', 'other/a/pipeline.py', 'pipelines/docs/readme.md'],
      [],
    ],
  ])('%s', (_, paths, dirs) => {
    expect(scan(paths).dirs).toEqual(dirs);
  });

  it.each(['', '.', './'])('in the whole repository with %j', (directory) => {
    expect(scan(['orders/pipeline.py', 'dlt/b/pipeline.py', 'dagster.yaml'], directory).dirs).toEqual([
      'dlt/b',
      'orders',
    ]);
  });

  it('of a folder with pipelines, whose own dagster.yaml is not read', () => {
    expect(scan(['pipelines/dlt/dagster.yaml', 'pipelines/dlt/a/pipeline.py'])).toEqual({
      dirs: ['pipelines/dlt/a'],
      lines: [
        'CONFIG_VALUE pipelines/dlt holds pipelines and is none itself: its dagster.yaml is not read (move the file into the folder of one pipeline)',
      ],
    });
  });
});

describe('no pipeline at all', () => {
  it.each([
    [
      'names the folder that would match',
      ['etl/dlt/orders/pipeline.py', 'etl/crm/replication.yaml'],
      'set ELT_PIPELINES_DIR=etl',
    ],
    ['one level too high', ['pipelines/team/dlt/orders/pipeline.py'], 'set ELT_PIPELINES_DIR=pipelines/team'],
    ['at the root', ['orders/pipeline.py'], 'set ELT_PIPELINES_DIR=.'],
    ['an empty repository', ['README.md'], 'add a folder such as pipelines/dlt/orders/pipeline.py'],
  ])('%s', (_, paths, hint) => {
    expect(scan(paths).lines).toEqual([`NO_PIPELINES no pipeline was found in pipelines (${hint})`]);
  });

  it('takes the directory with the most', () => {
    expect(suggestPipelinesDirectory(['a/x/pipeline.py', 'b/x/pipeline.py', 'b/y/dbt_project.yml'])).toBe(
      'b',
    );
    expect(suggestPipelinesDirectory([])).toBeNull();
  });
});

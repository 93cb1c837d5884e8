import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DltConfig } from '../../../src/discovery/pipeline-config.ts';
import { duckdbRows } from '../../helpers/duckdb.ts';
import { asset, holdingCode, range, type Scene, type Stage, type ToolUnderTest } from './scene.ts';

const ROWS = 500;
const DLT: DltConfig = {
  script: 'pipeline.py',
  sourceArgs: {},
  resources: [],
  assetPer: 'pipeline',
  incremental: {},
};
const file = ({ home }: Stage): string => join(home, 'data/shared/data.duckdb');

/**
 * A script that appends, so that a row that is loaded twice is there twice. Held in its load, between what the destination
 * has and what it is told of it, it merges: there an append cannot know (see the tests of dlt's own).
 */
export const dltTool: ToolUnderTest = {
  name: 'dlt',
  tooLittleMemory: 150_000_000,
  phases: ['start', 'running', 'loading', 'finishing'],
  failure: { message: /no amount/, failureClass: 'user' },
  whole: range(1, ROWS),
  log: range(1, ROWS).map((id) => new RegExp(`^stdout row ${id}$`)),
  step(stage: Stage, scene: Scene) {
    const disposition = scene.replaces === true ? 'replace' : scene.hold === 'loading' ? 'merge' : 'append';
    return {
      stepKey: 'dlt_rows',
      tool: 'dlt',
      config: { dlt: DLT },
      spec: { assets: [asset('dlt_rows')] },
      files: {
        'pipeline.py': `${holdingCode(stage, scene)}
hold("start")
import dlt
from dlt.common.runtime import signals
from dlt.load.load import Load

complete = Load.complete_package
def complete_package(*args, **kwargs):
    while held("loading"):
        # As dlt does wherever it waits.
        signals.raise_if_signalled()
        time.sleep(0.01)
    return complete(*args, **kwargs)
Load.complete_package = complete_package

@dlt.resource(name="rows", write_disposition="${disposition}", primary_key="id")
def rows():
    for id in range(1, ${ROWS + 1}):
        print("row", id)
        yield {"id": id}
        if id == ${ROWS / 2}:
            while held("running"):
                time.sleep(0.01)
                yield []
            if FAILS:
                raise ValueError("no amount")

if __name__ == "__main__":
    pipeline = dlt.pipeline("rows", destination=dlt.destinations.duckdb(os.environ["DUCKDB_DATABASE"]), dataset_name="raw")
    pipeline.run(rows())
    hold("finishing")
    raise SystemExit(1 if FAILS_LATE else 0)
`,
      },
    };
  },
  async rows(stage) {
    if (!existsSync(file(stage))) return [];
    const tables = await duckdbRows(
      file(stage),
      "select 1 from information_schema.tables where table_schema = 'raw' and table_name = 'rows'",
    );
    if (tables.length === 0) return [];
    return (await duckdbRows(file(stage), 'select id from raw.rows order by id')).map(([id]) => id as number);
  },
};

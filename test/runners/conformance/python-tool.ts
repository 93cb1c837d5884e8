import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { holdingCode, range, type Scene, type Stage, type ToolUnderTest } from './scene.ts';

const ROWS = 200;
const file = ({ home }: Stage): string => join(home, 'rows.db');

/** A plain script: it may be run again as a whole, as scripts have to be. */
export const pythonTool: ToolUnderTest = {
  name: 'python',
  tooLittleMemory: null,
  phases: ['start', 'running', 'loading', 'finishing'],
  failure: { message: /ValueError: no amount/, failureClass: 'user' },
  whole: range(1, ROWS),
  log: range(1, ROWS).map((id) => new RegExp(`^stdout row ${id}$`)),
  step(stage: Stage, scene: Scene) {
    return {
      stepKey: 'python_rows',
      files: {
        'main.py': `${holdingCode(stage, scene)}
import sqlite3
hold("start")
db = sqlite3.connect(${JSON.stringify(file(stage))})
db.execute("create table if not exists rows(id integer)")
db.execute("delete from rows")
for id in range(1, ${ROWS + 1}):
    db.execute("insert into rows values (?)", (id,))
    print("row", id)
    if id == ${ROWS / 2}:
        hold("running")
        if FAILS:
            raise ValueError("no amount")
hold("loading")
db.commit()
hold("finishing")
raise SystemExit(1 if FAILS_LATE else 0)
`,
      },
    };
  },
  async rows(stage) {
    const db = new SqliteDatabase(file(stage));
    try {
      return db.prepare('select id from rows order by id').pluck().all() as number[];
    } finally {
      db.close();
    }
  },
};

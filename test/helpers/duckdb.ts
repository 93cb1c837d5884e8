import { execa } from 'execa';
import { testTools } from './tool-environments.ts';

const QUERY = `import duckdb, json, sys
with duckdb.connect(sys.argv[1], read_only=True) as db:
    print(json.dumps(db.execute(sys.argv[2]).fetchall(), default=str))`;

/** Asks a DuckDB file with DuckDB itself: rows of a query. */
export async function duckdbRows(file: string, sql: string): Promise<unknown[][]> {
  const { python } = await testTools();
  const { stdout } = await execa(python, ['-c', QUERY, file, sql]);
  return JSON.parse(stdout) as unknown[][];
}

/** The single number of a query. */
export async function duckdbCount(file: string, sql: string): Promise<number> {
  return (await duckdbRows(file, sql))[0]?.[0] as number;
}

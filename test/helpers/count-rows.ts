import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { TEST_CACHE } from './service.ts';

/** Asks SQLite's own library (Python's), not ours. */
export function sqliteCount(file: string, table: string): number {
  return python(
    'python3',
    'import sqlite3,sys; print(sqlite3.connect(sys.argv[1]).execute(f"select count(*) from {sys.argv[2]}").fetchone()[0])',
    file,
    table,
  );
}

/** Asks DuckDB itself, through the environment that the runs use; opened read-only. */
export function duckdbCount(file: string, table: string): number {
  return python(
    pythonWithDuckdb(),
    'import duckdb,sys; print(duckdb.connect(sys.argv[1], read_only=True).execute(f"select count(*) from {sys.argv[2]}").fetchone()[0])',
    file,
    table,
  );
}

function pythonWithDuckdb(): string {
  const envs = join(TEST_CACHE, 'envs');
  for (const name of readdirSync(envs)) {
    const interpreter = join(envs, name, 'bin', 'python');
    const library = join(envs, name, 'lib');
    if (!existsSync(interpreter) || !existsSync(library)) continue;
    const packages = readdirSync(library).map((version) => join(library, version, 'site-packages', 'duckdb'));
    if (packages.some((folder) => existsSync(folder))) return interpreter;
  }
  throw new Error(`no environment with duckdb below ${envs}`);
}

function python(interpreter: string, code: string, ...args: string[]): number {
  return Number(execFileSync(interpreter, ['-c', code, ...args], { encoding: 'utf8' }));
}

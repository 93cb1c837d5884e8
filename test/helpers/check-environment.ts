import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testEnvironments } from './tool-environments.ts';

/** What pipelines bring that write into one of the three databases. */
export const REQUIREMENTS = `dlt[duckdb,postgres,sqlalchemy]==1.31.*
dbt-core==1.11.*
dbt-duckdb==1.11.*
dbt-postgres
`;

/** The interpreter of an environment with DuckDB, a driver for Postgres, dlt for all three databases and dbt for two of them. */
export async function checkPython(): Promise<string> {
  const treeDir = mkdtempSync(join(tmpdir(), 'elt-check-env-'));
  try {
    writeFileSync(join(treeDir, 'requirements.txt'), REQUIREMENTS);
    const config = { requirements: 'requirements.txt' };
    return (await testEnvironments().ensure({ config, treeDir })).python;
  } finally {
    rmSync(treeDir, { recursive: true, force: true });
  }
}

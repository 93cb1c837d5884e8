import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** Twelve assets in three groups, hourly partitions by the thousand, and a daily job. */
const SMALL = `
import dagster as dg

def make(name, group, deps):
    @dg.asset(name=name, group_name=group, deps=deps)
    def _asset():
        return None
    return _asset

GROUPS = ["ingest", "staging", "marts"]
small = [make(f"{group}_{i}", group, [f"{GROUPS[at - 1]}_{i}"] if at else []) for at, group in enumerate(GROUPS) for i in range(4)]

@dg.asset(partitions_def=dg.HourlyPartitionsDefinition("2025-10-01-00:00"), group_name="large")
def hours():
    return None

job = dg.define_asset_job("shop_job", dg.AssetSelection.groups(*GROUPS))
defs = dg.Definitions(assets=[*small, hours], jobs=[job], schedules=[dg.ScheduleDefinition(job=job, cron_schedule="0 2 * * *")])
`;
/** A thousand assets, each of two of the layer before, in twenty groups. */
const LARGE = `
import dagster as dg

def make(i):
    layer = i // 50
    deps = [f"asset_{(layer - 1) * 50 + (i * 7 + s) % 50}" for s in (0, 17)] if layer else []
    @dg.asset(name=f"asset_{i}", group_name=f"group_{i % 20:02d}", deps=deps)
    def _asset():
        return None
    return _asset

defs = dg.Definitions(assets=[make(i) for i in range(1000)])
`;

export interface DagsterServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** The folder of a virtual environment with Dagster (scripts/dagster-venv.sh); null: there is none. */
export function dagsterVenv(root: string): string | null {
  const folder = process.env['BENCH_DAGSTER'] ?? join(root, 'node_modules/.cache/elt-bench-dagster');
  return existsSync(join(folder, 'bin', 'dagster-webserver')) ? folder : null;
}

/** Dagster's web server over sample definitions that never ran: it has less to draw than our page beside it. */
export async function startDagster(venv: string, size: 'small' | 'large'): Promise<DagsterServer> {
  const home = mkdtempSync(join(tmpdir(), 'elt-bench-dagster-'));
  const file = join(home, 'defs.py');
  writeFileSync(file, size === 'small' ? SMALL : LARGE);
  writeFileSync(join(home, 'dagster.yaml'), 'telemetry:\n  enabled: false\n');
  const options = { cwd: home, env: { ...process.env, DAGSTER_HOME: home } } as const;
  const port = await freePort();
  const child = spawn(
    join(venv, 'bin/dagster-webserver'),
    ['-f', file, '-h', '127.0.0.1', '-p', String(port)],
    {
      ...options,
      stdio: 'ignore',
    },
  );
  const url = `http://127.0.0.1:${port}`;
  while (!(await answers(url))) {
    if (child.exitCode !== null) throw new Error('dagster-webserver ended');
    await wait(200);
  }
  return {
    url,
    async stop() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      rmSync(home, { recursive: true, force: true });
    },
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/server_info`)).ok;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

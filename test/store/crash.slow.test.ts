import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, copyFileSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import SqliteDatabase from 'better-sqlite3';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { lockHome } from '../../src/store/home-lock.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { SILENT, temporaryFolder } from './sqlite-store.ts';

const PAGE = 4096;
const WAL_HEADER = 32;
const FRAME_HEADER = 24;
/** Byte of the wal-index header that holds the number of frames that are committed and synced. */
const MAX_FRAME_AT = 16;

const children = new Set<ChildProcess>();
afterEach(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  children.clear();
});

function start(script: string, argument: string): { child: ChildProcess; lines: Interface } {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'children', script), argument], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.add(child);
  return { child, lines: createInterface({ input: child.stdout }) };
}

async function open(file: string): Promise<Store> {
  return openStore({ file, clock: systemClock(), logger: SILENT });
}

describe('power loss (P4)', () => {
  it('loses nothing that was acknowledged, whatever becomes of the tail that was not synced', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'elt.db');
    const { child, lines } = start('write-runs.ts', file);
    const acknowledged: string[] = [];
    lines.on('line', (line) => acknowledged.push(line));

    const images: { copy: string; facts: readonly string[] }[] = [];
    for (let n = 0; n < 8; n++) {
      const seen = acknowledged.length;
      while (acknowledged.length < seen + 40 + n * 37) await once(lines, 'line');
      // What the child said before it stopped may still be in the pipe; what was read is surely older.
      child.kill('SIGSTOP');
      const facts = [...acknowledged];
      const copy = join(folder, `image-${n}.db`);
      copyFileSync(file, copy);
      copyFileSync(`${file}-wal`, `${copy}-wal`);
      spoilTail(`${copy}-wal`, readFileSync(`${file}-shm`).readUInt32LE(MAX_FRAME_AT), n);
      child.kill('SIGCONT');
      images.push({ copy, facts });
    }
    expect(statSync(`${file}-wal`).size).toBeGreaterThan(0);

    for (const { copy, facts } of images) {
      const store = await open(copy);
      expect(await store.operations.integrityCheck()).toBe('ok');
      await expectFacts(store, facts);
      const before = await store.runs.list({ limit: 10_000 });
      await store.operations.rebuildProjections();
      expect(await store.runs.list({ limit: 10_000 })).toEqual(before);
      await store.close();
    }
  });
});

/** The part of the log that no sync vouches for: cut off, zeroed, or turned to noise. */
function spoilTail(wal: string, syncedFrames: number, how: number): void {
  const from = WAL_HEADER + syncedFrames * (FRAME_HEADER + PAGE);
  const { size } = statSync(wal);
  const noise = Buffer.alloc(Math.max(0, size - from) + 3 * PAGE, how % 3 === 0 ? 0 : 0xa5);
  const handle = openSync(wal, 'r+');
  writeSync(handle, noise, 0, noise.length, from);
  closeSync(handle);
}

async function expectFacts(store: Store, facts: readonly string[]): Promise<void> {
  const ticks = new Set((await store.schedules.ticks('s', { limit: 100_000 })).map((tick) => tick.at));
  const events = await store.events({ after: 0, limit: 1_000_000 });
  const runs = new Set(events.flatMap(({ event, runId }) => (event.type === 'run_enqueued' ? [runId] : [])));
  const logged = new Set(
    events.flatMap(({ event, runId, n }) => (event.type === 'log' ? [`${runId} ${n}`] : [])),
  );
  const results = events.filter(({ event }) => event.type === 'step_succeeded').map(({ runId }) => runId);
  expect(new Set(results).size).toBe(results.length);
  for (const fact of facts) {
    const [kind, ...rest] = fact.split(' ');
    const found =
      kind === 'tick'
        ? ticks.has(Number(rest[0]))
        : kind === 'run'
          ? runs.has(rest[0]!)
          : kind === 'event'
            ? logged.has(rest.join(' '))
            : results.includes(rest[0]!);
    expect({ fact, found }).toEqual({ fact, found: true });
  }
}

describe('kill -9', () => {
  it('frees the lock of a home (P5)', async () => {
    const home = temporaryFolder();
    const { child, lines } = start('hold-lock.ts', home);
    expect(await once(lines, 'line')).toEqual(['locked']);
    await expect(lockHome(home)).rejects.toMatchObject({
      code: 'HOME_LOCKED',
      message: expect.stringContaining(`process ${child.pid}`),
    });
    const second = start('hold-lock.ts', home);
    const [refusal] = (await once(second.lines, 'line')) as [string];
    expect(refusal).toContain(`is used by process ${child.pid}`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    (await lockHome(home)).release();
  });

  it('in a migration leaves the database of before (P8)', async () => {
    const file = join(temporaryFolder(), 'elt.db');
    const store = await open(file);
    await store.operations.audit({ actor: 'ada', action: 'a', target: 't', details: {} });
    await store.close();
    const { child } = start('migrate-and-die.ts', file);
    const [, signal] = (await once(child, 'exit')) as [number | null, string];
    expect(signal).toBe('SIGKILL');
    const again = await open(file);
    expect(await again.operations.auditLog({ limit: 5 })).toMatchObject([{ actor: 'ada' }]);
    expect(await again.operations.integrityCheck()).toBe('ok');
    await again.close();
    const raw = new SqliteDatabase(file, { readonly: true });
    expect(raw.prepare("select name from sqlite_master where name = 'half'").all()).toEqual([]);
    raw.close();
  });
});

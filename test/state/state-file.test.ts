import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeSnapshot } from '../../src/state/codec.ts';
import { prepareStateFile, readStateFile, STATE_FILE } from '../../src/state/state-file.ts';
import { temporaryDirectory } from '../helpers/git-repository.ts';
import { pipelineState, snapshotOf } from '../helpers/snapshots.ts';

const FIRST = snapshotOf([pipelineState('a')]);
const SECOND = snapshotOf([pipelineState('a'), pipelineState('b')]);
const OWNER = { component: 'shop', url: FIRST.repo.url };

async function write(dir: string, snapshot = FIRST): Promise<void> {
  await (await prepareStateFile(dir, snapshot)).commit();
}

describe('state file', () => {
  it('A8: is prepared beside the old one and swapped in whole; the old one is kept', async () => {
    const dir = temporaryDirectory();
    await write(dir);
    const prepared = await prepareStateFile(dir, SECOND);
    expect((await readStateFile(dir, OWNER)).snapshot).toEqual(FIRST);
    await prepared.commit();
    expect((await readStateFile(dir, OWNER)).snapshot).toEqual(SECOND);
    expect(readFileSync(path.join(dir, 'pipelines_state.previous.json'), 'utf8')).toBe(
      encodeSnapshot(FIRST).toString(),
    );
    expect(readdirSync(dir).toSorted()).toEqual([STATE_FILE, 'pipelines_state.previous.json']);
    const discarded = await prepareStateFile(dir, FIRST);
    await discarded.discard();
    expect(readdirSync(dir)).toHaveLength(2);
  });

  it('C7: a truncated or missing file gives way to the one before it', async () => {
    const dir = temporaryDirectory();
    await write(dir);
    await write(dir, SECOND);
    truncateSync(path.join(dir, STATE_FILE), 200);
    expect(await readStateFile(dir, OWNER)).toEqual({
      snapshot: FIRST,
      problems: ['pipelines_state.json: it is not whole JSON'],
    });
    rmSync(path.join(dir, STATE_FILE));
    expect((await readStateFile(dir, OWNER)).snapshot).toEqual(FIRST);
    writeFileSync(path.join(dir, 'pipelines_state.previous.json'), '');
    expect((await readStateFile(dir, OWNER)).snapshot).toBeNull();
  });

  it('G11: the state of another repository is never returned', async () => {
    const dir = temporaryDirectory();
    await write(dir);
    await write(dir, SECOND);
    const other = await readStateFile(dir, { ...OWNER, url: 'https://github.com/acme/other' });
    expect(other.snapshot).toBeNull();
    expect(other.problems[0]).toContain('it is of shop at https://github.com/acme/pipelines');
    expect((await readStateFile(dir, { ...OWNER, component: 'x' })).snapshot).toBeNull();
  });
});

it('G8: without room the old state stays whole and nothing half is left', () => {
  const dir = temporaryDirectory();
  writeFileSync(path.join(dir, STATE_FILE), 'old');
  const script = `
    import { prepareFile } from ${JSON.stringify(path.join(import.meta.dirname, '../../src/lib/atomic-file.ts'))};
    await prepareFile(process.argv[1], 'x'.repeat(100_000)).then(
      () => console.log('written'),
      (error) => console.log(error.code + ' ' + error.message),
    );`;
  // A limit on the size of files is the one full disk that a test can have anywhere.
  const run = execFileSync(
    'sh',
    [
      '-c',
      'ulimit -f 8; exec "$0" --disable-warning=ExperimentalWarning --input-type=module -e "$1" "$2"',
      process.execPath,
      script,
      path.join(dir, STATE_FILE),
    ],
    { encoding: 'utf8' },
  );
  expect(run.trim()).toBe('DISK_FULL cannot write pipelines_state.json: no space is left on the disk');
  expect(readdirSync(dir)).toEqual([STATE_FILE]);
  expect(readFileSync(path.join(dir, STATE_FILE), 'utf8')).toBe('old');
});

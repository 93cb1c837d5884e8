import { expect, it } from 'vitest';
import { createWorkDirLocks, type WorkDirLocks } from '../../../src/engine/local/work-dir-locks.ts';

interface Recorder {
  /** What has been let in so far, in order. */
  readonly entered: string[];
  readonly locks: WorkDirLocks;
  readonly ask: (name: string, treeId: string) => Promise<void>;
  readonly leave: (name: string) => Promise<boolean>;
}

function recorder(): Recorder {
  const locks = createWorkDirLocks();
  const entered: string[] = [];
  const releases = new Map<string, () => boolean>();
  return {
    entered,
    locks,
    async ask(name: string, treeId: string): Promise<void> {
      void locks.hold('/work', treeId).then((release) => {
        entered.push(name);
        releases.set(name, release);
      });
      await settle();
    },
    async leave(name: string): Promise<boolean> {
      const isIdle = releases.get(name)!();
      await settle();
      return isIdle;
    },
  };
}

/** All promises that can settle now have done so. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}

it('E8: steps of one content share the directory, those of another wait for all of them', async () => {
  const { ask, leave, entered } = recorder();
  await ask('a1', 'one');
  await ask('a2', 'one');
  await ask('b1', 'two');
  await ask('a3', 'one');
  expect(entered).toEqual(['a1', 'a2']);
  expect(await leave('a1')).toBe(false);
  expect(entered).toEqual(['a1', 'a2']);
  expect(await leave('a2')).toBe(false);
  // First come, first served: what came later does not pass the one that waits.
  expect(entered).toEqual(['a1', 'a2', 'b1']);
  expect(await leave('b1')).toBe(false);
  expect(entered).toEqual(['a1', 'a2', 'b1', 'a3']);
  expect(await leave('a3')).toBe(true);
});

it('gives back once only', async () => {
  const { ask, leave, entered } = recorder();
  await ask('a1', 'one');
  await ask('a2', 'one');
  await ask('b1', 'two');
  await leave('a1');
  await leave('a1');
  expect(entered).toEqual(['a1', 'a2']);
});

it('an adopted step is in at once and keeps others out', async () => {
  const { ask, entered, locks } = recorder();
  const release = locks.join('/work', 'one');
  await ask('b1', 'two');
  expect(entered).toEqual([]);
  release();
  await settle();
  expect(entered).toEqual(['b1']);
});

it('E8: who leaves the queue lets those go on that waited behind it for nothing', async () => {
  const { ask, leave, entered, locks } = recorder();
  const gone = new AbortController();
  await ask('a1', 'one');
  const refused = locks.hold('/work', 'two', gone.signal).catch((error: unknown) => error);
  await ask('a2', 'one');
  await ask('c1', 'three');
  expect(entered).toEqual(['a1']);
  gone.abort(new Error('cancelled'));
  expect(await refused).toMatchObject({ message: 'cancelled' });
  await settle();
  expect(entered).toEqual(['a1', 'a2']);
  await leave('a1');
  expect(await leave('a2')).toBe(false);
  expect(entered).toEqual(['a1', 'a2', 'c1']);
  expect(await leave('c1')).toBe(true);
});

it('who gave up before it asked does not wait', async () => {
  const locks = createWorkDirLocks();
  await locks.hold('/work', 'one');
  await expect(locks.hold('/work', 'two', AbortSignal.abort(new Error('gave up')))).rejects.toThrow(
    'gave up',
  );
});

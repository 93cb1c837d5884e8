import { chmodSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { readWorkingCopy } from '../../src/component/working-copy.ts';
import { treeId } from '../../src/git/tree-id.ts';
import { createRepository } from '../helpers/git-repository.ts';

it('is the id that Git gives to the tree', () => {
  const repo = createRepository();
  repo.write({
    // Git sorts folders as if their names ended in a slash: after a.b, before a0.
    'p/a/x.py': 'x',
    'p/a.b': 'y',
    'p/a0': 'z',
    'p/deep/er/still/file.txt': '',
    'p/ünïcödé 名.txt': 'u',
    'p/run.sh': '#!/bin/sh\n',
    'p/large.csv': new Uint8Array(3_000_000).fill(65),
    'q/other.txt': 'q',
  });
  chmodSync(path.join(repo.dir, 'p/run.sh'), 0o755);
  symlinkSync('a.b', path.join(repo.dir, 'p/link'));
  repo.push({});
  const copy = readWorkingCopy(repo.dir, '', { ids: 'content' });
  for (const dir of ['p', 'q', 'p/deep', 'p/a'])
    expect(copy.folderTreeId(dir), dir).toBe(repo.git('rev-parse', `HEAD:${dir}`).trim());
  expect(treeId([])).toBe('4b825dc642cb6eb9a060e54bf8d69288fbee4904');
});

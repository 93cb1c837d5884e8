import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { layWorkDir } from '../../../src/engine/local/work-dir.ts';

let home: string;
let work: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'elt-work-'));
  work = join(home, 'data', 'main', 'shop');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** A read-only tree of these files. */
function tree(id: string, files: Record<string, string>): string {
  const dir = join(home, 'trees', id);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text, { mode: 0o444 });
  }
  mkdirSync(dir, { recursive: true });
  return dir;
}

const lay = (id: string, files: Record<string, string>) =>
  layWorkDir(work, tree(id, files), id, join(home, 'laid.json')).map((collision) => collision.file);
const read = (name: string) => readFileSync(join(work, name), 'utf8');
const list = () =>
  readdirSync(work, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(work.length + 1))
    .sort();

it('lays the files of a revision, writable, and those of the next over them', () => {
  expect(lay('one', { 'main.py': 'one', 'lib/a.py': 'a', 'lib/deep/b.py': 'b' })).toEqual([]);
  expect(list()).toEqual(['lib/a.py', 'lib/deep/b.py', 'main.py']);
  expect(statSync(join(work, 'main.py')).mode & 0o777).toBe(0o644);
  expect(lay('two', { 'main.py': 'two', 'lib/a.py': 'a' })).toEqual([]);
  expect(list()).toEqual(['lib/a.py', 'main.py']);
  expect(read('main.py')).toBe('two');
  expect(existsSync(join(work, 'lib/deep'))).toBe(false);
});

it('writes nothing when nothing changed', () => {
  lay('one', { 'main.py': 'one' });
  const before = lstatSync(join(work, 'main.py'));
  const manifest = statSync(join(home, 'laid.json')).mtimeMs;
  lay('one', { 'main.py': 'one' });
  expect(lstatSync(join(work, 'main.py')).ino).toBe(before.ino);
  expect(statSync(join(home, 'laid.json')).mtimeMs).toBe(manifest);
});

it('A14: keeps what a run wrote, through every revision', () => {
  lay('one', { 'main.py': 'one', 'out/readme.txt': 'x' });
  writeFileSync(join(work, 'data.duckdb'), 'rows');
  writeFileSync(join(work, 'out/report.csv'), 'rows');
  lay('two', { 'main.py': 'two' });
  expect(list()).toEqual(['data.duckdb', 'main.py', 'out/report.csv']);
  expect(read('out/report.csv')).toBe('rows');
});

it('says that a run’s file stands where the revision has one, and keeps it', () => {
  lay('one', { 'main.py': 'one' });
  writeFileSync(join(work, 'report.csv'), 'of a run');
  expect(lay('two', { 'main.py': 'one', 'report.csv': 'of git' })).toEqual(['report.csv']);
  expect(read('report.csv')).toBe('of a run');
  // The next revision does not take it for its own either.
  expect(lay('three', { 'main.py': 'one' })).toEqual([]);
  expect(read('report.csv')).toBe('of a run');
});

it('says so of a laid file that a run wrote into, and lays it anew when it is gone', () => {
  lay('one', { 'state.json': '{}' });
  writeFileSync(join(work, 'state.json'), '{"cursor": 7}');
  expect(lay('one', { 'state.json': '{}' })).toEqual(['state.json']);
  expect(lay('two', { 'state.json': '{"a": 1}' })).toEqual(['state.json']);
  expect(read('state.json')).toBe('{"cursor": 7}');
  rmSync(join(work, 'state.json'));
  expect(lay('two', { 'state.json': '{"a": 1}' })).toEqual([]);
  expect(read('state.json')).toBe('{"a": 1}');
});

it('copes with a folder where a run wrote a file, and the other way round', () => {
  lay('one', { 'main.py': 'one' });
  writeFileSync(join(work, 'lib'), 'a file of a run');
  mkdirSync(join(work, 'out.txt'));
  expect(lay('two', { 'main.py': 'one', 'lib/a.py': 'a', 'out.txt': 'x' })).toEqual(['lib/a.py', 'out.txt']);
  expect(read('lib')).toBe('a file of a run');
});

it('goes on after it died half-way: what it laid is not taken for a run’s', () => {
  lay('one', { 'a.py': 'one', 'b.py': 'one' });
  const manifest = readFileSync(join(home, 'laid.json'));
  lay('two', { 'a.py': 'two', 'b.py': 'two', 'c.py': 'two' });
  writeFileSync(join(home, 'laid.json'), manifest);
  expect(lay('two', { 'a.py': 'two', 'b.py': 'two', 'c.py': 'two' })).toEqual([]);
  expect(lay('three', { 'a.py': 'three' })).toEqual([]);
  expect(list()).toEqual(['a.py']);
});

it('leaves the tree as it is, whatever a run does, as root too', () => {
  const dir = tree('one', { 'input.csv': 'of git', 'run.sh': '#!/bin/sh\n' });
  chmodSync(join(dir, 'run.sh'), 0o555);
  symlinkSync('input.csv', join(dir, 'link.csv'));
  layWorkDir(work, dir, 'one', join(home, 'laid.json'));
  expect(statSync(join(work, 'run.sh')).mode & 0o111).not.toBe(0);
  expect(lstatSync(join(work, 'link.csv')).isSymbolicLink()).toBe(true);
  writeFileSync(join(work, 'input.csv'), 'of a run');
  writeFileSync(join(work, 'link.csv'), 'through the link');
  expect(readFileSync(join(dir, 'input.csv'), 'utf8')).toBe('of git');
});

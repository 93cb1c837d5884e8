import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createCgroups } from '../../../src/engine/local/cgroups.ts';

/** A tree of files as the kernel shows them; what the service writes is read from it again. */
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'elt-cgroups-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const file = (name: string): string => join(root, name);
const text = (name: string): string => readFileSync(file(name), 'utf8');
function put(name: string, content: string): void {
  mkdirSync(dirname(file(name)), { recursive: true });
  writeFileSync(file(name), content);
}

/** A service's group `/elt.service` that is delegated to it. */
function delegated(changes: Readonly<Record<string, string>> = {}): void {
  const files = {
    'proc/self/mountinfo': `30 23 0:26 / ${root}/fs rw,nosuid shared:9 - cgroup2 cgroup2 rw\n31 23 0:27 / /x rw - tmpfs t rw\n`,
    'proc/self/cgroup': '0::/elt.service\n',
    [`proc/${process.pid}/stat`]: `${process.pid} (node (x)) S 1 1 1`,
    'proc/4242/stat': `4242 (python) S ${process.pid} 1 1`,
    'proc/77/stat': '77 (sh) S 1 1 1',
    'fs/elt.service/cgroup.type': 'domain\n',
    'fs/elt.service/cgroup.controllers': 'cpu memory pids\n',
    'fs/elt.service/cgroup.subtree_control': '',
    'fs/elt.service/cgroup.procs': `${process.pid}\n4242\n`,
    ...changes,
  };
  for (const [name, content] of Object.entries(files)) put(name, content);
}

it('moves the service and its children aside, then hands out groups', () => {
  delegated();
  mkdirSync(file('fs/elt.service/elt-step-old'));
  const cgroups = createCgroups(file('proc'));
  const group = cgroups.groupOf('run/step/1');
  expect(cgroups.problem()).toBeNull();
  expect(dirname(group!)).toBe(file('fs/elt.service'));
  expect(group).not.toBe(cgroups.groupOf('run/step/2'));
  // A file of the kernel takes one number at a time; here the last one stays.
  expect(text('fs/elt.service/elt-service/cgroup.procs')).toBe('4242');
  expect(text('fs/elt.service/cgroup.subtree_control')).toBe('+cpu');
  expect(() => text('fs/elt.service/elt-step-old/x')).toThrow('ENOENT');
});

it('goes on where an earlier life of the service had moved', () => {
  delegated({
    'proc/self/cgroup': '0::/elt.service/elt-service\n',
    'fs/elt.service/cgroup.subtree_control': 'cpu memory\n',
    'fs/elt.service/elt-service/cgroup.procs': `${process.pid}\n`,
  });
  expect(dirname(createCgroups(file('proc')).groupOf('s')!)).toBe(file('fs/elt.service'));
  expect(text('fs/elt.service/cgroup.subtree_control')).toBe('cpu memory\n');
});

it.each<[string, Readonly<Record<string, string>>, string]>([
  ['cgroups v1', { 'proc/self/cgroup': '4:memory:/x\n' }, 'there are no cgroups v2 here'],
  [
    'memory kept by v1',
    { 'fs/elt.service/cgroup.controllers': 'hugetlb\n' },
    'the kernel keeps no memory limits in cgroups v2 here',
  ],
  [
    'a group that others use too',
    { 'fs/elt.service/cgroup.procs': `${process.pid}\n77\n` },
    'the service shares its cgroup with other processes (77)',
  ],
])('hands out none with %s, and says why', (_, changes, problem) => {
  delegated(changes);
  const cgroups = createCgroups(file('proc'));
  expect(cgroups.groupOf('s')).toBeNull();
  expect(cgroups.problem()).toBe(problem);
});

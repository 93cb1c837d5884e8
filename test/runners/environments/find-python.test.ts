import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findPython, satisfies } from '../../../src/runners/environments/find-python.ts';

describe('satisfies', () => {
  it.each([
    ['3.11.7', '>=3.10', true],
    ['3.11.7', '>=3.10,<3.12', true],
    ['3.12.0', '>=3.10,<3.12', false],
    ['3.11.7', '3.11', true],
    ['3.1.1', '3.11', false],
    ['3.11.7', '==3.11.*', true],
    ['3.11.7', '==3.11', false],
    ['3.11.0', '==3.11', true],
    ['3.11.7', '!=3.11.*', false],
    ['3.12.1', '~=3.11', true],
    ['3.12.1', '~=3.11.0', false],
    ['3.11.7', '>3.11', false],
    ['3.11.7', '<=3.11.7', true],
    ['3.11.7', 'pypy3', null],
    ['3.11.7', '', true],
  ])('%s against %s is %s', (version, specifier, expected) => {
    expect(satisfies(version, specifier)).toBe(expected);
  });
});

describe('findPython', () => {
  async function pathWith(scripts: Record<string, string>): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'elt-python-'));
    for (const [name, text] of Object.entries(scripts))
      await writeFile(join(folder, name), text, { mode: 0o755 });
    return folder;
  }
  const says = (version: string): string =>
    `#!/bin/sh\necho '{"executable": "/real/python", "version": "${version}", "platform": "linux-x86_64"}'\n`;

  it('takes the first of the range and skips what is too old or does not start', async () => {
    const PATH = await pathWith({
      python3: says('3.9.2'),
      'python3.13': '#!/bin/sh\nexit 127\n',
      'python3.12': says('3.12.4'),
    });
    expect(await findPython({ PATH })).toEqual({
      executable: '/real/python',
      version: '3.12.4',
      platform: 'linux-x86_64',
    });
  });

  it('says in one line which range it needs and what it found', async () => {
    const PATH = await pathWith({ python3: says('3.9.2'), python: says('2.7.18') });
    await expect(findPython({ PATH })).rejects.toMatchObject({
      code: 'PYTHON_NOT_FOUND',
      message: `Python 3.10 to 3.13 was not found on PATH; found only 3.9.2 at ${PATH}/python3, 2.7.18 at ${PATH}/python`,
    });
  });
});

import { describe, expect, it } from 'vitest';
import { codeLink, withoutCredentials } from '../../../src/server/views/code-link.ts';

const COMMIT = '3f1c9ae'.padEnd(40, '0');

describe('links to the Git host', () => {
  it.each([
    ['https://github.com/shop/pipelines.git', `https://github.com/shop/pipelines/blob/${COMMIT}/a/b.yaml#L7`],
    ['https://github.com/shop/pipelines', `https://github.com/shop/pipelines/blob/${COMMIT}/a/b.yaml#L7`],
    ['https://github.com/shop/pipelines/', `https://github.com/shop/pipelines/blob/${COMMIT}/a/b.yaml#L7`],
    ['git@github.com:shop/pipelines.git', `https://github.com/shop/pipelines/blob/${COMMIT}/a/b.yaml#L7`],
    [
      'ssh://git@github.com:22/shop/pipelines.git',
      `https://github.com/shop/pipelines/blob/${COMMIT}/a/b.yaml#L7`,
    ],
    ['https://user:ghp_x@github.com/shop/p.git', `https://github.com/shop/p/blob/${COMMIT}/a/b.yaml#L7`],
    ['https://github.acme.com/shop/p', `https://github.acme.com/shop/p/blob/${COMMIT}/a/b.yaml#L7`],
    ['https://gitlab.com/a/b/c.git', `https://gitlab.com/a/b/c/-/blob/${COMMIT}/a/b.yaml#L7`],
    ['git@bitbucket.org:a/b.git', `https://bitbucket.org/a/b/src/${COMMIT}/a/b.yaml#lines-7`],
    ['https://git.example.com/a/b', null],
    ['/srv/git/pipelines.git', null],
    ['file:///srv/git/pipelines.git', null],
    ['https://github.com/', null],
    ['javascript:alert(1)', null],
  ])('%s', (repo, expected) => {
    expect(codeLink(repo, { commit: COMMIT, path: 'a/b.yaml', line: 7 })).toBe(expected);
  });

  it('A10: takes the suffix .git away, not its letters, and goes by commit', () => {
    const link = (repo: string) => codeLink(`https://github.com/shop/${repo}`, { commit: COMMIT });
    expect(link('logging.git')).toBe(`https://github.com/shop/logging/commit/${COMMIT}`);
    expect(link('digit')).toBe(`https://github.com/shop/digit/commit/${COMMIT}`);
    expect(link('a.git.git')).toBe(`https://github.com/shop/a.git/commit/${COMMIT}`);
  });

  it('knows folders, commits and names with special letters', () => {
    const repo = 'https://github.com/shop/p.git';
    expect(codeLink(repo, { commit: COMMIT, path: 'pipelines/dlt', kind: 'folder', line: 3 })).toBe(
      `https://github.com/shop/p/tree/${COMMIT}/pipelines/dlt`,
    );
    expect(codeLink(repo, { commit: COMMIT, path: 'a b/#x?.py' })).toBe(
      `https://github.com/shop/p/blob/${COMMIT}/a%20b/%23x%3F.py`,
    );
    expect(codeLink(repo, { commit: 'main"onclick=' })).toBeNull();
    expect(codeLink('https://gitlab.com/a/b', { commit: COMMIT })).toBe(
      `https://gitlab.com/a/b/-/commit/${COMMIT}`,
    );
    expect(codeLink('https://bitbucket.org/a/b', { commit: COMMIT })).toBe(
      `https://bitbucket.org/a/b/commits/${COMMIT}`,
    );
  });

  it.each([
    ['https://user:token@github.com/a/b', 'https://github.com/a/b'],
    ['https://token@github.com/a/b', 'https://github.com/a/b'],
    ['ssh://git:pw@github.com/a/b', 'ssh://git@github.com/a/b'],
    ['git@github.com:a/b.git', 'git@github.com:a/b.git'],
    ['/srv/a@b', '/srv/a@b'],
  ])('shows %s as %s', (repo, expected) => {
    expect(withoutCredentials(repo)).toBe(expected);
  });
});

import { describe, expect, it } from 'vitest';
import { isRefName, parseRemoteUrl, sameRepository, webLink } from '../../src/git/remote-url.ts';

function remote(text: string) {
  const result = parseRemoteUrl(text, { local: true, base: '/base' });
  if (!('ok' in result)) throw new Error(`${text}: ${result.refused}`);
  return result.ok;
}

describe('G13: addresses are checked before git runs', () => {
  it.each([
    ['https://github.com/acme/pipelines.git', 'https', 'github.com', 'acme/pipelines'],
    ['HTTPS://GitHub.com/acme/logging.git', 'https', 'github.com', 'acme/logging'],
    ['https://git.example.com:8443/a/b/c/', 'https', 'git.example.com:8443', 'a/b/c'],
    ['ssh://git@github.com/acme/pipelines.git', 'ssh', 'github.com', 'acme/pipelines'],
    ['git@github.com:acme/pipelines.git', 'ssh', 'github.com', 'acme/pipelines'],
    ['http://127.0.0.1:3001/x.git', 'http', '127.0.0.1:3001', 'x'],
    ['/srv/git/x.git', 'local', null, '/srv/git/x.git'],
    ['file:///srv/git/a%20b.git', 'local', null, '/srv/git/a b.git'],
    ['../x', 'local', null, '/x'],
    ['./with:colon', 'local', null, '/base/with:colon'],
  ])('takes %s', (text, kind, host, path) => {
    expect(remote(text)).toMatchObject({ kind, host, path });
  });

  it.each([
    ['ext::sh -c touch% /tmp/x', 'remote helpers'],
    ['EXT::sh -c id', 'remote helpers'],
    ['fd::17', 'remote helpers'],
    ['--upload-pack=touch /tmp/x', 'begin with "-"'],
    ['-oProxyCommand=id', 'begin with "-"'],
    ['ssh://-oProxyCommand=id/x', 'begin with "-"'],
    ['git@-oProxyCommand=id:x', 'cannot be read'],
    ['git@host:-x', 'begin with "-"'],
    ['https://user:pa55word@github.com/a/b', 'user name or password'],
    ['https://ghp_secret@github.com/a/b', 'user name or password'],
    ['ssh://git:pa55word@host/a', 'user name or password'],
    ['git://github.com/a/b', '"git://" is not allowed'],
    ['ftp://host/a', '"ftp://" is not allowed'],
    ['http://example.com/a/b', 'plain http'],
    ['https://github.com/a/b?token=x', '"?" or "#"'],
    ['https://github.com/a b', 'blank or control'],
    ['https://github.com', 'no path'],
    ['', 'is empty'],
    ['file://host/x', 'absolute path'],
  ])('refuses %s', (text, reason) => {
    const result = parseRemoteUrl(text, { local: true, base: '/base' });
    expect(result).toMatchObject({ refused: expect.stringContaining(reason), hint: expect.any(String) });
    expect(JSON.stringify(result)).not.toMatch(/pa55word|ghp_secret/);
  });

  it.each(['/srv/x', 'file:///srv/x', 'FILE:///srv/x', './x', 'x'])(
    'refuses the local %s from anything remote',
    (text) => {
      expect(parseRemoteUrl(text, { local: false })).toMatchObject({
        refused: expect.stringContaining('operator only'),
      });
    },
  );

  it.each([
    ['main', true],
    ['feature/a-b', true],
    ['-x', false],
    ['--upload-pack=x', false],
    ['a..b', false],
    ['a b', false],
    ['a:b', false],
    ['a.lock', false],
    ['refs/../x', false],
    ['x/', false],
    ['a@{1}', false],
    ['', false],
  ])('the ref name %s: %s', (name, good) => {
    expect(isRefName(name)).toBe(good);
  });
});

it('A10: only the suffix .git is taken off, and links carry the whole path and the commit', () => {
  expect(remote('https://github.com/acme/logging.git').path).toBe('acme/logging');
  expect(
    webLink(remote('git@github.com:acme/logging.git'), 'abc123', 'pipelines/dlt/a b/dagster.yaml', 12),
  ).toBe('https://github.com/acme/logging/blob/abc123/pipelines/dlt/a%20b/dagster.yaml#L12');
  expect(webLink(remote('/srv/x.git'), 'abc123', 'a')).toBeNull();
});

it.each([
  ['git@github.com:Acme/x.git', 'https://github.com/acme/x', true],
  ['ssh://git@github.com/acme/x', 'https://github.com/acme/x.git/', true],
  ['https://github.com/acme/x', 'https://github.com/acme/y', false],
  ['https://github.com/acme/x', 'https://gitlab.com/acme/x', false],
  ['/srv/x', '/srv/x', true],
  ['/srv/x', 'https://github.com/srv/x', false],
])('%s and %s are one repository: %s', (a, b, same) => {
  expect(sameRepository(remote(a), remote(b))).toBe(same);
});

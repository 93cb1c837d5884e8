import { createHash } from 'node:crypto';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../helpers/git-repository.ts';
import { surface } from '../helpers/surface.ts';

const TOKEN = 'a long and secret token';

describe('Host and Origin', () => {
  it.each([
    ['localhost:3000', undefined, 200],
    ['127.0.0.1', undefined, 200],
    ['[::1]:3000', undefined, 200],
    ['LOCALHOST:1', undefined, 200],
    ['elt.example.com', undefined, 200],
    ['evil.example', undefined, 403],
    ['127.0.0.1.evil.example', undefined, 403],
    ['localhost:3000', 'http://localhost:3000', 200],
    ['localhost:3000', 'http://localhost:8080', 403],
    ['localhost:3000', 'https://evil.example', 403],
    ['localhost:3000', 'null', 403],
    ['localhost:3000', 'https://elt.example.com', 200],
  ])('Host %j, Origin %j → %i', async (host, origin, status) => {
    const { app } = await surface({ settings: { allowedHosts: ['elt.example.com'] } });
    const headers = { host, ...(origin === undefined ? {} : { origin }) };
    const response = await app.inject({ url: '/api/v1/assets', headers });
    expect(response.statusCode, response.body).toBe(status);
    if (status === 403) expect(response.json()).toMatchObject({ code: 'FORBIDDEN_HOST' });
  });

  it('lets probes through by any name', async () => {
    const { app } = await surface();
    for (const url of ['/healthz', '/readyz', '/metrics']) {
      expect((await app.inject({ url, headers: { host: '10.0.0.7:3000' } })).statusCode).toBe(200);
    }
  });
});

describe('the token', () => {
  it.each([
    ['none', {}, 401],
    ['a wrong one', { authorization: 'Bearer nope' }, 401],
    ['the right one', { authorization: `Bearer ${TOKEN}` }, 200],
    ['the right one, other case of the scheme', { authorization: `bearer ${TOKEN}` }, 200],
    ['the token as cookie', { cookie: `elt_session=${TOKEN}` }, 401],
  ])('%s', async (_name, headers, status) => {
    const { app } = await surface({ settings: { apiToken: TOKEN } });
    for (const url of ['/api/v1/assets', '/metrics', '/api/openapi.json']) {
      const response = await app.inject({ url, headers });
      expect([url, response.statusCode]).toEqual([url, status]);
      if (status === 401) expect(response.json()).toMatchObject({ code: 'UNAUTHORIZED' });
    }
    expect((await app.inject({ url: '/healthz' })).statusCode).toBe(200);
  });

  it('takes people to the login page and back, by a cookie that does not hold the token', async () => {
    const { app } = await surface({ settings: { apiToken: TOKEN } });
    const html = { accept: 'text/html,*/*' };
    const visit = await app.inject({ url: '/runs?status=FAILURE', headers: html });
    expect([visit.statusCode, visit.headers.location]).toEqual([
      302,
      '/login?next=%2Fruns%3Fstatus%3DFAILURE',
    ]);

    const form = (token: string) =>
      app.inject({
        method: 'POST',
        url: '/login',
        headers: { ...html, 'content-type': 'application/x-www-form-urlencoded' },
        payload: new URLSearchParams({ token, next: '/runs?status=FAILURE' }).toString(),
      });
    const wrong = await form('nope');
    expect([wrong.statusCode, wrong.headers['set-cookie']]).toEqual([401, undefined]);
    const right = await form(TOKEN);
    expect([right.statusCode, right.headers.location]).toEqual([303, '/runs?status=FAILURE']);
    const cookie = String(right.headers['set-cookie']);
    expect(cookie).toMatch(/HttpOnly/);
    expect(cookie).toMatch(/SameSite=Strict/);
    expect(cookie).not.toContain(encodeURIComponent(TOKEN));
    const session = cookie.split(';')[0]!;
    const list = await app.inject({ url: '/api/v1/assets', headers: { cookie: session } });
    expect(list.statusCode).toBe(200);
  });

  it.each(['//evil.example/', '/\\evil.example', 'https://evil.example', '/login', '/\'"><script>'])(
    'never leads to another place than a path of its own: %s',
    async (next) => {
      const { app } = await surface({ settings: { apiToken: TOKEN } });
      const page = await app.inject({ url: `/login?next=${encodeURIComponent(next)}` });
      expect(page.body).not.toContain('<script>');
      expect(page.body).not.toContain('evil.example');
      expect(page.headers['content-security-policy']).not.toContain('unsafe-inline');
    },
  );
});

describe('the page', () => {
  function dist(): string {
    const dir = temporaryDirectory();
    mkdirSync(join(dir, 'assets'));
    writeFileSync(join(dir, 'index.html'), '<!doctype html><script>theme()</script><div id="app"></div>');
    writeFileSync(join(dir, 'assets/index-B5Qt9EMX.js'), 'plain()');
    writeFileSync(join(dir, 'assets/index-B5Qt9EMX.js.br'), brotliCompressSync('plain()'));
    writeFileSync(join(dir, 'favicon.svg'), '<svg/>');
    return dir;
  }
  const html = { accept: 'text/html,application/xhtml+xml' };

  it('is served for its paths, with a policy that knows its inline script by hash only', async () => {
    const { app } = await surface({ deps: { uiDir: dist() } });
    for (const url of ['/', '/runs/0198', '/assets/marts%2Frevenue', '/assets/a.b']) {
      const response = await app.inject({ url, headers: html });
      expect([url, response.statusCode, response.headers['cache-control']]).toEqual([url, 200, 'no-cache']);
      const policy = String(response.headers['content-security-policy']);
      expect(policy).toMatch(/script-src 'self' 'sha256-[\w+/=]{44}'/);
      expect(policy).not.toMatch(/unsafe/);
    }
  });

  it('is the new one after it was built anew under the service', async () => {
    const dir = dist();
    const { app } = await surface({ deps: { uiDir: dir } });
    await app.inject({ url: '/', headers: html });
    writeFileSync(join(dir, 'assets/index-Nw3Qt9EM.js'), 'newer()');
    writeFileSync(join(dir, 'index.html'), '<!doctype html><script>newer()</script>');
    utimesSync(join(dir, 'index.html'), new Date(), new Date(Date.now() + 5000));
    const page = await app.inject({ url: '/', headers: html });
    const hash = createHash('sha256').update('newer()').digest('base64');
    expect(page.headers['content-security-policy']).toContain(`'sha256-${hash}'`);
    expect((await app.inject({ url: '/assets/index-Nw3Qt9EM.js' })).body).toBe('newer()');
  });

  it('sends hashed files compressed and for ever, others with a tag', async () => {
    const { app } = await surface({ deps: { uiDir: dist() } });
    const url = '/assets/index-B5Qt9EMX.js';
    const br = await app.inject({ url, headers: { 'accept-encoding': 'gzip, br' } });
    expect(br.headers).toMatchObject({
      'content-encoding': 'br',
      'cache-control': 'public, max-age=31536000, immutable',
      'content-type': 'text/javascript; charset=utf-8',
      vary: 'accept-encoding',
    });
    expect(brotliDecompressSync(br.rawPayload).toString()).toBe('plain()');
    const plain = await app.inject({ url, headers: { 'accept-encoding': 'br;q=0' } });
    expect([plain.headers['content-encoding'], plain.body]).toEqual([undefined, 'plain()']);
    const icon = await app.inject({ url: '/favicon.svg' });
    const again = await app.inject({
      url: '/favicon.svg',
      headers: { 'if-none-match': String(icon.headers.etag) },
    });
    expect([again.statusCode, again.body]).toEqual([304, '']);
  });

  it.each([
    ['/asset-groups/raw', '/lineage'],
    ['/overview/timeline', '/'],
    ['/locations', '/git'],
  ])('leads from %s to %s', async (from, to) => {
    const { app } = await surface({ deps: { uiDir: dist() } });
    const response = await app.inject({ url: from, headers: html });
    expect([response.statusCode, response.headers.location]).toEqual([302, to]);
  });

  it.each([
    '/assets/index-00000000.js',
    '/../package.json',
    '/assets/../../package.json',
    '/%2e%2e/package.json',
    '/api/v1/nothing',
    '/assets/index-B5Qt9EMX.js.br',
  ])('has no %s', async (url) => {
    const { app } = await surface({ deps: { uiDir: dist() } });
    const response = await app.inject({ url });
    expect([response.statusCode, response.json<{ code: string }>().code]).toEqual([404, 'NOT_FOUND']);
  });

  it('H3: gives hostile text as JSON that no browser takes for a page', async () => {
    const hostile = '<img src=x onerror=alert(1)>\u202e';
    const { app } = await surface({
      pipelines: { evil: { config: { description: hostile }, assets: { evil: {} } } },
      snapshot: {
        diagnostics: [
          { code: 'CONFIG_TYPE', severity: 'error', message: hostile, file: hostile, line: 1, column: 1 },
        ],
      },
      files: { [hostile]: hostile },
    });
    for (const url of ['/api/v1/assets', '/api/v1/diagnostics', '/api/v1/nothing<script>']) {
      const response = await app.inject({ url, headers: html });
      expect(response.headers['content-type']).toMatch(/^application\/(problem\+)?json/);
      expect(response.headers['x-content-type-options']).toBe('nosniff');
    }
  });

  it('says so when it is not built', async () => {
    const { app } = await surface();
    const response = await app.inject({ url: '/', headers: html });
    expect([response.statusCode, response.body]).toEqual([503, expect.stringContaining('not built')]);
  });
});

describe('shutting down', () => {
  it('P7: health says 503 first, changes are refused, reads go on', async () => {
    const { app } = await surface();
    await app.ready();
    app.startDraining();
    expect((await app.inject({ url: '/healthz' })).statusCode).toBe(503);
    expect((await app.inject({ url: '/readyz' })).statusCode).toBe(503);
    expect((await app.inject({ url: '/api/v1/assets' })).statusCode).toBe(200);
    const launch = await app.inject({ method: 'POST', url: '/api/v1/runs', payload: { selection: '*' } });
    expect([launch.statusCode, launch.json<{ code: string }>().code]).toEqual([503, 'SHUTTING_DOWN']);
  });
});

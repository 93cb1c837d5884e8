import { existsSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listen } from '../../src/server/listen.ts';
import { readServiceFile, removeServiceFile, writeServiceFile } from '../../src/server/service-file.ts';
import { temporaryDirectory } from '../helpers/git-repository.ts';
import { surface } from '../helpers/surface.ts';

describe('listening', () => {
  it('refuses other than loopback without a token, before anything is bound', async () => {
    const { app } = await surface();
    await expect(listen(app, { host: '0.0.0.0', port: 0, apiToken: null })).rejects.toMatchObject({
      code: 'BIND_WITHOUT_TOKEN',
      hint: expect.stringContaining('ELT_API_TOKEN'),
    });
    expect(app.server.listening).toBe(false);
    expect(await listen(app, { host: '0.0.0.0', port: 0, apiToken: 'a token' })).toMatch(
      /^http:\/\/localhost:\d+$/,
    );
  });

  it('names the holder of a taken port: one of ours, or a program', async () => {
    const first = await surface();
    const url = await listen(first.app, { host: '127.0.0.1', port: 0, apiToken: null });
    const second = await surface();
    const port = Number(new URL(url).port);
    await expect(listen(second.app, { host: '127.0.0.1', port, apiToken: null })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: `port ${port} on 127.0.0.1 is held by another ELT service, pid ${process.pid}`,
    });

    const stranger = createServer((socket) => socket.end('220 hello\r\n'));
    onTestFinished(() => void stranger.close());
    await new Promise<void>((resolve) => void stranger.listen(0, '127.0.0.1', resolve));
    const taken = (stranger.address() as { port: number }).port;
    const who = process.platform === 'linux' ? `, pid ${process.pid}` : 'another program';
    await expect(
      listen(second.app, { host: '127.0.0.1', port: taken, apiToken: null }),
    ).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(who),
      hint: expect.stringContaining('--port 0'),
    });
  });

  it.each([
    ['203.0.113.7', 'is no address of this machine'],
    ['no-such-host.invalid', 'is no address of this machine'],
  ])('explains %s', async (host, why) => {
    const { app } = await surface();
    await expect(listen(app, { host, port: 0, apiToken: 'a token' })).rejects.toMatchObject({
      code: 'SETTING_INVALID',
      message: expect.stringContaining(why),
    });
  });
});

describe('service.json', () => {
  const service = {
    url: 'http://127.0.0.1:3000',
    pid: 4711,
    started_at: '2026-01-20T12:00:00.000Z',
    token: 'a token',
    version: '1.0.0',
  };

  it('is for its user alone, and goes with its service only', async () => {
    const home = temporaryDirectory();
    writeFileSync(join(home, 'service.json'), '{}', { mode: 0o644 });
    await writeServiceFile(home, service);
    expect(statSync(join(home, 'service.json')).mode & 0o777).toBe(0o600);
    expect(await readServiceFile(home)).toEqual(service);
    await removeServiceFile(home, 4712);
    expect(existsSync(join(home, 'service.json'))).toBe(true);
    await removeServiceFile(home, 4711);
    expect(existsSync(join(home, 'service.json'))).toBe(false);
  });

  it.each(['', '{', '{"url": "x"}', 'null'])('that cannot be read is none: %j', async (text) => {
    const home = temporaryDirectory();
    writeFileSync(join(home, 'service.json'), text);
    expect(await readServiceFile(home)).toBeNull();
  });
});

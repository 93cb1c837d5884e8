import { expect, it } from 'vitest';
import type { DoctorReport } from '../../src/server/contract/doctor.ts';
import type { Instance } from '../../src/server/contract/instance.ts';
import { serviceChecks } from '../../src/server/views/service-checks.ts';
import { variableNames } from '../../src/server/views/variable-names.ts';
import { surface } from '../helpers/surface.ts';

it('says of machine and service what is well', async () => {
  const { app } = await surface({ pipelines: { orders: { assets: { orders: {} } } } });
  const response = await app.inject('/api/v1/doctor');
  const { items } = response.json<DoctorReport>();
  const found = new Map(items.map((check) => [check.name, check]));
  expect(found.get('node')).toMatchObject({ of: 'machine', status: 'ok', fix: null });
  expect([...found.keys()]).toEqual(expect.arrayContaining(['git', 'python', 'home', 'disk', 'store']));
  // It does not listen: nothing beats, and nothing is missed.
  expect([...found.keys()].filter((name) => name.startsWith('daemon'))).toEqual([]);
});

it('gives a cause and a fix for a daemon that is silent, and one that fails', async () => {
  const { app } = await surface({});
  const instance = (await app.inject('/api/v1/instance')).json<Instance>();
  const now = Date.UTC(2026, 0, 20);
  const daemon = (name: string, secondsAgo: number, error: string | null): Instance['daemons'][number] => ({
    name,
    at: new Date(now - secondsAgo * 1000).toISOString(),
    status: error === null ? 'ok' : 'failed',
    last_error: error,
  });
  const daemons = [
    daemon('scheduler', 20, null),
    daemon('refresh', 600, null),
    daemon('retention', 3_600, null),
    daemon('watch', 1, 'EMFILE'),
  ];
  const checks = serviceChecks({ ...instance, daemons }, [], { daemons: true, now });
  const of = (name: string) => checks.find((check) => check.name === `daemon ${name}`);
  expect(of('scheduler')).toMatchObject({ status: 'ok', text: 'last beat 20 s ago', fix: null });
  expect(of('refresh')).toMatchObject({ status: 'warning', fix: expect.any(String) });
  expect(of('retention')).toMatchObject({ status: 'ok' });
  expect(of('watch')).toMatchObject({ status: 'failed', text: 'EMFILE', fix: expect.any(String) });
});

it('names the variables that folders refer to, and never a value', () => {
  const of = (name: string, env: Record<string, string>) => ({ name, config: { env } });
  const names = variableNames(
    [
      of('b', { URL: 'https://${HOST}/${TOKEN:-none}' }),
      of('a', { X: '${HOST}', Y: '$${HOST}', Z: '${GONE}' }),
    ],
    { HOST: 'secret.example', TOKEN: 'abc', GONE: '' },
  );
  expect(names).toEqual([
    { name: 'GONE', present: false, pipelines: ['a'] },
    { name: 'HOST', present: true, pipelines: ['a', 'b'] },
    { name: 'TOKEN', present: true, pipelines: ['b'] },
  ]);
  expect(JSON.stringify(names)).not.toContain('secret.example');
});

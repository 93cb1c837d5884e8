import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { StreamChange } from '../../src/server/contract/instance.ts';
import type { SamplePipeline } from '../helpers/sample-definitions.ts';
import { type Surface, surface } from '../helpers/surface.ts';

const SHOP: Record<string, SamplePipeline> = { orders: { assets: { dlt_orders: {} } } };

interface Message {
  readonly id?: string;
  readonly event?: string;
  readonly data?: unknown;
}

/** Messages of a stream, one at a time; a comment is `{}`. */
async function follow({ app }: Pick<Surface, 'app'>, query = '', headers: Record<string, string> = {}) {
  if (!app.server.listening) await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as { port: number };
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/events${query}`, {
    headers,
    signal: abort.signal,
  });
  const blocks = split(response.body!);
  return {
    response,
    next: async () => (await blocks.next()).value as Message,
    async until(wanted: (change: StreamChange) => boolean): Promise<StreamChange[]> {
      const changes: StreamChange[] = [];
      for (;;) {
        const { value, done } = await blocks.next();
        if (done === true) throw new Error('the stream ended');
        if (value.event !== 'change') continue;
        changes.push(value.data as StreamChange);
        if (wanted(changes.at(-1)!)) return changes;
      }
    },
    stop: () => abort.abort(),
  };
}

async function* split(body: ReadableStream<Uint8Array>): AsyncGenerator<Message> {
  let rest = '';
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + chunk).split('\n\n');
    rest = blocks.pop()!;
    for (const block of blocks) yield parse(block);
  }
}

function parse(block: string): Message {
  const fields = block.split('\n').map((line) => line.split(/: ?(.*)/s));
  const of = (name: string) => fields.find(([key]) => key === name)?.[1];
  const data = of('data');
  return {
    ...(of('id') === undefined ? {} : { id: of('id')! }),
    ...(of('event') === undefined ? {} : { event: of('event')! }),
    ...(data === undefined ? {} : { data: JSON.parse(data) as unknown }),
  };
}

async function launch({ engine }: Surface): Promise<string> {
  const launched = await engine.submit({
    assets: ['dlt_orders'],
    partitions: { kind: 'none' },
    fullRefresh: false,
    config: {},
    tags: {},
    priority: 0,
    cause: { kind: 'cli', user: 'ada' },
  });
  return launched.runIds[0]!;
}

describe('the event stream', () => {
  it('tells what happens, with the assets to look at again, in the order of the log', async () => {
    const service = await surface({ pipelines: SHOP });
    const stream = await follow(service);
    expect(stream.response.headers.get('content-type')).toContain('text/event-stream');
    expect(stream.response.headers.get('x-accel-buffering')).toBe('no');
    expect(stream.response.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect((await stream.next()).id).toBe(String(await service.store.lastEventId()));
    const runId = await launch(service);
    const changes = await stream.until((change) => change.type === 'run_succeeded');
    expect(changes.map((change) => change.event_id)).toEqual(
      changes.map((_, index) => changes[0]!.event_id + index),
    );
    expect(changes.every((change) => change.run_id === runId)).toBe(true);
    expect(changes.find((change) => change.type === 'materialization')?.asset_keys).toEqual(['dlt_orders']);
  });

  it('resumes after Last-Event-ID without a gap or a double, over many reconnects', async () => {
    const service = await surface({ pipelines: SHOP });
    const before = await service.store.lastEventId();
    for (let n = 0; n < 3; n += 1) await launch(service);
    const last = await service.store.lastEventId();
    const seen: number[] = [];
    let position = before;
    while (position < last) {
      const stream = await follow(service, '', { 'last-event-id': String(position) });
      const goal = Math.min(last, position + 4);
      const changes = await stream.until((change) => change.event_id >= goal);
      seen.push(...changes.map((change) => change.event_id));
      position = changes.at(-1)!.event_id;
      stream.stop();
    }
    expect(seen).toEqual(Array.from({ length: last - before }, (_, index) => before + 1 + index));
    const byQuery = await follow(service, `?after=${before}`);
    expect((await byQuery.until(() => true))[0]?.event_id).toBe(before + 1);
  });

  it.each([
    ['another database', (last: number) => last + 5],
    ['more than 10,000 events ago', (last: number) => last - 10_001],
  ])('sends a reset to a position of %s', async (_name, position) => {
    const service = await surface({ pipelines: SHOP });
    const many = Array.from(
      { length: 10_050 },
      () => ({ type: 'definitions_published', digest: 'd' }) as const,
    );
    await service.store.appendInstanceEvents(many);
    const last = await service.store.lastEventId();
    const stream = await follow(service, '', { 'last-event-id': String(position(last)) });
    expect(await stream.next()).toEqual({ id: String(last), event: 'reset', data: {} });
  });

  it('replays thousands of events in order while new ones come', async () => {
    const service = await surface({ pipelines: SHOP });
    const batch = Array.from(
      { length: 3000 },
      () => ({ type: 'definitions_published', digest: 'd' }) as const,
    );
    await service.store.appendInstanceEvents(batch);
    const stream = await follow(service, '', { 'last-event-id': '1' });
    await service.store.appendInstanceEvents([{ type: 'definitions_published', digest: 'the last' }]);
    const changes = await stream.until((change) => change.payload['digest'] === 'the last');
    expect(changes.map((change) => change.event_id)).toEqual(
      changes.map((_, index) => changes[0]!.event_id + index),
    );
    expect(changes.length).toBeGreaterThan(2999);
  });

  it('adds notices of the log of a run', async () => {
    const service = await surface({ pipelines: SHOP, step: () => ({ hold: true, lines: ['first'] }) });
    const runId = await launch(service);
    const stream = await follow(service, `?log=${runId}`);
    await stream.next();
    const ref = { runId, stepKey: 'orders', attempt: 1 };
    await service.logs.append(ref, await service.logs.size(ref), Buffer.from('1 o second\n'));
    expect(await stream.next()).toEqual({
      event: 'log',
      data: { run_id: runId, step_key: 'orders', attempt: 1 },
    });
    const unknown = await service.app.inject({ url: '/api/v1/events?log=nope' });
    expect(unknown.statusCode).toBe(404);
  });

  it('follows the logs of several runs on one stream, and passes over those that are gone', async () => {
    const service = await surface({ pipelines: SHOP, step: () => ({ hold: true, lines: ['first'] }) });
    const runs = [await launch(service), await launch(service)];
    const stream = await follow(service, `?log=${[...runs, 'gone'].join(',')}`);
    await stream.next();
    for (const runId of runs) {
      const ref = { runId, stepKey: 'orders', attempt: 1 };
      await service.logs.append(ref, await service.logs.size(ref), Buffer.from('1 o more\n'));
      expect(await stream.next()).toEqual({
        event: 'log',
        data: { run_id: runId, step_key: 'orders', attempt: 1 },
      });
    }
  });

  it('lets a client that does not read fall behind without holding up the others, or memory', async () => {
    const service = await surface({ pipelines: SHOP });
    await service.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = service.app.server.address() as { port: number };
    const asleep = connect(port, '127.0.0.1');
    onTestFinished(() => void asleep.destroy());
    await once(asleep, 'connect');
    asleep.pause();
    asleep.write('GET /api/v1/events?after=0 HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const awake = await follow(service);
    const digest = 'd'.repeat(20_000);
    const batch = Array.from({ length: 500 }, () => ({ type: 'definitions_published', digest }) as const);
    await service.store.appendInstanceEvents(batch);
    await service.store.appendInstanceEvents([{ type: 'definitions_published', digest: 'the last' }]);
    expect((await awake.until((change) => change.payload['digest'] === 'the last')).length).toBe(501);
    asleep.resume();
    let text = '';
    for await (const chunk of asleep) {
      text = (text + String(chunk)).slice(-2000);
      if (text.includes('the last')) break;
    }
    expect(text).toContain('the last');
  });

  it('sends comments while nothing happens, and ends when the server closes', async () => {
    const service = await surface({ pipelines: SHOP, deps: { heartbeatMs: 5 } });
    const stream = await follow(service);
    await stream.next();
    expect(await stream.next()).toEqual({});
    await service.app.close();
    for (let message = await stream.next(); message !== undefined; ) message = await stream.next();
  });
});

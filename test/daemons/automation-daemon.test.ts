import { expect, it } from 'vitest';
import { createAutomationDaemon, PAUSE_MS } from '../../src/daemons/automation-daemon.ts';
import { createLogger } from '../../src/lib/log.ts';
import { openAutomation, type Sample } from './automation-harness.ts';

const T0 = Date.UTC(2026, 0, 20, 12, 59, 50);
const EAGER: Sample = {
  raw: { assets: { raw: {} } },
  staged: { config: { automation: { condition: 'eager' } }, assets: { staged: { deps: ['raw'] } } },
};

/** The daemon over a real store; `next` resolves when it has looked once more. */
async function running(sample: Sample) {
  const h = await openAutomation(sample, T0);
  let looks = 0;
  let told = Promise.withResolvers<void>();
  let publish = (): void => undefined;
  const daemon = createAutomationDaemon({
    automation: {
      ...h.automation,
      async look() {
        const counts = await h.automation.look();
        looks += 1;
        const { resolve } = told;
        told = Promise.withResolvers();
        resolve();
        return counts;
      },
    },
    store: h.store,
    onPublished: (listener) => {
      publish = listener;
      return () => undefined;
    },
    clock: h.clock,
    logger: createLogger('silent'),
  });
  const first = told.promise;
  daemon.start();
  await first;
  return {
    ...h,
    daemon,
    looks: () => looks,
    publish: () => publish(),
    async next(act: () => unknown): Promise<void> {
      const { promise } = told;
      await act();
      await promise;
    },
    /** It rests: nothing is due but the nap. */
    async settle(): Promise<void> {
      while (!h.automation.isSettled()) await this.next(() => h.clock.advance(PAUSE_MS));
    },
    async stop(): Promise<void> {
      await daemon.stop();
      await h.close();
    },
  };
}

const news = { type: 'component_condition', component: 'main', condition: 'Ready' } as const;
const something = { ...news, status: 'True', reason: 'Applied', message: '' };

it('looks once at many events, and not again within a second', async () => {
  const d = await running(EAGER);
  await d.settle();
  const before = d.looks();
  d.clock.advance(10 * PAUSE_MS);
  await d.next(() => d.store.appendInstanceEvents([something]));
  expect(d.looks()).toBe(before + 1);
  for (let n = 0; n < 20; n++) await d.store.appendInstanceEvents([something]);
  d.clock.advance(PAUSE_MS - 1);
  expect(d.looks()).toBe(before + 1);
  await d.next(() => d.clock.advance(1));
  expect(d.looks()).toBe(before + 2);
  await d.stop();
});

it('launches when a parent was written, without anybody asking', async () => {
  const d = await running(EAGER);
  await d.settle();
  d.clock.advance(10 * PAUSE_MS);
  await d.next(async () => d.succeed(await d.launch(['raw'])));
  while (d.woken.length === 0) await d.next(() => d.clock.advance(PAUSE_MS));
  expect(await d.runs()).toEqual(['raw', 'staged']);
  await d.stop();
});

it('looks when a tick of a condition comes due', async () => {
  const d = await running({
    raw: { config: { automation: { condition: 'on_schedule("@hourly", "UTC")' } }, assets: { raw: {} } },
  });
  await d.settle();
  await d.next(() => d.clock.set(Date.UTC(2026, 0, 20, 13)));
  expect(d.woken).toHaveLength(1);
  await d.stop();
});

it('is not woken where nothing has a condition, until definitions say otherwise', async () => {
  const d = await running({ raw: { assets: { raw: {} } } });
  const before = d.looks();
  d.clock.advance(PAUSE_MS);
  await d.store.appendInstanceEvents([something]);
  d.clock.advance(PAUSE_MS);
  expect(d.looks()).toBe(before);
  await d.edit(EAGER);
  await d.next(() => d.publish());
  expect(d.looks()).toBe(before + 1);
  await d.stop();
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NOON, type OpenedStore, type OpenStore } from './harness.ts';

/** Work that survives a restart: at least once, the newest of each key, tried again when it is due. */
export function describeOutboxStore(open: OpenStore): void {
  describe('outbox', () => {
    let opened: OpenedStore;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(async () => {
      await opened.close();
    });

    const ids = async (...topics: string[]) =>
      (await opened.store.outbox.due(topics, 10)).map(({ topic, key, payload }) => [topic, key, payload.n]);

    it('hands out what is due, oldest first, of the topics asked for', async () => {
      const { outbox } = opened.store;
      await outbox.add([
        { topic: 'a', key: '1', payload: { n: 1 } },
        { topic: 'b', key: '1', payload: { n: 2 } },
      ]);
      await outbox.add([{ topic: 'a', key: '2', payload: { n: 3 } }]);
      expect(await ids('a')).toEqual([
        ['a', '1', 1],
        ['a', '2', 3],
      ]);
      expect(await ids('a', 'b')).toHaveLength(3);
      expect(await outbox.nextDueAt(['a'])).toBe(NOON);
      expect(await outbox.nextDueAt(['c'])).toBeNull();
    });

    it('replaces waiting work of the same key, and does not end the new by ending the old', async () => {
      const { outbox } = opened.store;
      await outbox.add([{ topic: 'a', key: '1', payload: { n: 1 } }]);
      const [old] = await outbox.due(['a'], 10);
      await outbox.add([{ topic: 'a', key: '1', payload: { n: 2 } }]);
      await outbox.done(old!.id);
      expect(await ids('a')).toEqual([['a', '1', 2]]);
      const [next] = await outbox.due(['a'], 10);
      await outbox.done(next!.id);
      expect(await ids('a')).toEqual([]);
    });

    it('tries again when it is due, and keeps what was given up for three days', async () => {
      const { store, clock } = opened;
      await store.outbox.add([{ topic: 'a', key: '1', payload: { n: 1 } }]);
      const [entry] = await store.outbox.due(['a'], 10);
      await store.outbox.retry(entry!.id, NOON + 60_000, 'rate limit');
      expect(await ids('a')).toEqual([]);
      expect(await store.outbox.nextDueAt(['a'])).toBe(NOON + 60_000);
      clock.advance(60_000);
      expect(await store.outbox.due(['a'], 10)).toMatchObject([{ attempts: 1, lastError: 'rate limit' }]);
      await store.outbox.retry(entry!.id, null, 'no permission');
      expect(await store.outbox.nextDueAt(['a'])).toBeNull();
      expect(await store.outbox.list(10)).toMatchObject([
        { status: 'given_up', attempts: 2, lastError: 'no permission' },
      ]);
      clock.advance(3 * 86_400_000 + 1);
      await store.outbox.add([{ topic: 'a', key: '2', payload: {} }]);
      const [other] = await store.outbox.due(['a'], 10);
      await store.outbox.retry(other!.id, null, 'gone');
      expect((await store.outbox.list(10)).map(({ key }) => key)).toEqual(['2']);
    });
  });
}

import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Trends } from '../../../src/server/contract/history.ts';
import { get, segment } from '../api/client.ts';
import { onChange } from '../live/connection.ts';

/** Rows of the last writes by asset key, of those that were in view. */
export const trends = signal<ReadonlyMap<string, readonly number[]>>(new Map());

/** A scroll that goes on asks for nothing. */
const SETTLE_MS = 120;
const AT_ONCE = 50;
const known = new Set<string>();

onChange((change) => {
  if (change.type === 'materialization') for (const key of change.asset_keys) known.delete(key);
});

/** Asks for the trends of these assets, once each until they are written again. What cannot be had is left out. */
export function useTrends(keys: readonly string[]): void {
  const missing = keys.filter((key) => !known.has(key)).slice(0, AT_ONCE);
  const text = missing.join();
  useEffect(() => {
    if (text === '') return;
    const timer = window.setTimeout(() => {
      for (const key of missing) known.add(key);
      get<Trends>(`/asset-trends?keys=${segment(text)}`).then(
        ({ items }) => {
          trends.value = new Map([...trends.peek(), ...items.map(({ key, rows }) => [key, rows] as const)]);
        },
        () => {
          for (const key of missing) known.delete(key);
        },
      );
    }, SETTLE_MS);
    return () => window.clearTimeout(timer);
  }, [text]);
}

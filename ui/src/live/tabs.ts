import type { ConnectionState } from './connection.ts';
import type { StreamMessage } from './stream.ts';

/** What the tabs of one browser say to each other. */
export type TabMessage =
  | { readonly kind: 'stream'; readonly message: StreamMessage }
  | { readonly kind: 'state'; readonly state: ConnectionState }
  | { readonly kind: 'want-logs'; readonly tab: string; readonly runs: readonly string[] }
  /** A new tab, or one that became the leader: say what you know and what you want. */
  | { readonly kind: 'hello' };

const LOCK = 'elt-stream';

/**
 * Resolves in the one tab that is to hold the stream; in another one only when the former closes or crashes (Web
 * Locks free themselves). HTTP/1.1 has six connections per origin: a stream per tab would starve the seventh.
 * Without Web Locks (plain http on another host) every tab leads itself.
 */
export function becomeLeader(): Promise<void> {
  const locks = (navigator as { locks?: LockManager }).locks;
  if (locks === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    void locks.request(LOCK, () => {
      resolve();
      return new Promise<never>(() => {});
    });
  });
}

export interface TabChannel {
  readonly post: (message: TabMessage) => void;
}

export function tabChannel(onMessage: (message: TabMessage) => void): TabChannel {
  // As with Web Locks: a tab that leads itself must not echo its events to the others.
  if ((navigator as { locks?: LockManager }).locks === undefined) return { post: () => {} };
  const channel = new BroadcastChannel('elt-live');
  channel.addEventListener('message', (event: MessageEvent<TabMessage>) => onMessage(event.data));
  return { post: (message) => channel.postMessage(message) };
}

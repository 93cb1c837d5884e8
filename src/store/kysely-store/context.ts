import type { Kysely, Transaction } from 'kysely';
import type { Clock, Instant } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { PartitionsDefinition } from '../../partitions/definition/partitions-definition.ts';
import type { Database } from './schema.ts';

/** One write transaction: its connection, its time (one for all that it writes), and the newest event it appended. */
export interface Tx {
  readonly db: Transaction<Database>;
  readonly now: Instant;
  readonly definitions: DefinitionCache;
  lastEventId: number | null;
  /** Whether it wrote to `schedule_state` or `schedule`. */
  schedulesChanged: boolean;
}

/** `definition_id` → definition; null: not partitioned. Rows never change, so neither do entries. */
export type DefinitionCache = Map<number, PartitionsDefinition | null>;

/**
 * `power`: survives a loss of power once it is committed. `process`: survives the end of this process; a loss of power may
 * take the newest of these back, in order, together with the processes that they speak of. Never a part of one.
 */
export type Durability = 'power' | 'process';

/** Makes the next transaction of a connection as durable as said; what that takes is the dialect's. */
export type SetDurability = (connection: Kysely<Database>, durability: Durability) => Promise<void>;

/** What the parts of the store share: the database, the store's clock, and who wants to hear of new events. */
export interface StoreContext {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly definitions: DefinitionCache;
  /** Counts up when projections were made anew: what was read from them before is not to be built on. */
  epoch: number;
  /** Counts up at each commit that changed `schedule_state` or `schedule`. */
  schedulesVersion: number;
  /** Runs `work` in one transaction; listeners are called after its commit, in the order of commits. */
  write<T>(work: (tx: Tx) => Promise<T>, durability?: Durability): Promise<T>;
  subscribe(listener: (lastEventId: number) => void): () => void;
}

export function createContext(
  db: Kysely<Database>,
  setDurability: SetDurability,
  clock: Clock,
  logger: Logger,
): StoreContext {
  const listeners = new Set<(lastEventId: number) => void>();
  const definitions: DefinitionCache = new Map();

  function notify(lastEventId: number): void {
    for (const listener of listeners) {
      try {
        listener(lastEventId);
      } catch (error) {
        logger.error({ err: error }, 'a listener of the event log failed');
      }
    }
  }

  const context: StoreContext = {
    db,
    clock,
    definitions,
    epoch: 0,
    schedulesVersion: 0,
    async write(work, durability = 'power') {
      let lastEventId: number | null = null;
      let schedulesChanged = false;
      const result = await db
        .connection()
        .execute(async (connection) => {
          await setDurability(connection, durability);
          return connection.transaction().execute(async (trx) => {
            const tx: Tx = {
              db: trx,
              now: clock.now(),
              definitions,
              lastEventId: null,
              schedulesChanged: false,
            };
            const done = await work(tx);
            ({ lastEventId, schedulesChanged } = tx);
            return done;
          });
        })
        .catch((error: unknown) => {
          // An id of the transaction that was rolled back can be given again.
          definitions.clear();
          throw error;
        });
      if (schedulesChanged) context.schedulesVersion += 1;
      if (lastEventId !== null) notify(lastEventId);
      return result;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return context;
}

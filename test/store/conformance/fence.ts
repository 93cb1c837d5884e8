import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventRecord } from '../../../src/events/run-event.ts';
import type { RunCommand, RunView, Store } from '../../../src/store/store.ts';
import {
  failure,
  launch,
  NO_LIMITS,
  NOON,
  OK,
  type OpenedStore,
  type OpenStore,
  publish,
} from './harness.ts';

const SAMPLE = { orders: { assets: { orders: {} } } };
const STEP = 'orders';
const TTL = 600_000;

/** What a worker, a clock or an engine may do next. `back`: how many attempts ago; late workers speak for old ones. */
type Move =
  | { readonly type: 'engine' }
  | { readonly type: 'wait'; readonly ms: number }
  | { readonly type: 'acquire' | 'renew'; readonly holder: string; readonly back: number }
  | { readonly type: 'append'; readonly back: number; readonly n: number }
  | { readonly type: 'finish'; readonly back: number; readonly ok: boolean }
  | { readonly type: 'take_over'; readonly back: number; readonly from: string; readonly to: string };

const holder = fc.constantFrom('a', 'b', 'c');
const back = fc.constantFrom(0, 0, 0, 1, 2);
const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({ type: fc.constant('engine' as const) }),
  fc.record({ type: fc.constant('wait' as const), ms: fc.constantFrom(1, TTL / 2, TTL, TTL + 1) }),
  fc.record({ type: fc.constantFrom('acquire' as const, 'renew' as const), holder, back }),
  fc.record({ type: fc.constant('append' as const), back, n: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ type: fc.constant('finish' as const), back, ok: fc.boolean() }),
  fc.record({ type: fc.constant('take_over' as const), back, from: holder, to: holder }),
);

/** An engine of a few lines: starts the step, gives up what nobody renewed, tries again after a failure. */
function decide(view: RunView): RunCommand[] {
  const step = view.state.steps[STEP]!;
  const lease = view.leases[STEP];
  const next: RunCommand = {
    type: 'record',
    event: { type: 'step_dispatched', stepKey: STEP, attempt: step.attempt + 1, pools: [] },
  };
  if (step.status === 'waiting' || step.status === 'retry_wait') return [next];
  if (step.status === 'attempt_failed') {
    const retry = {
      type: 'step_retry_scheduled',
      stepKey: STEP,
      attempt: step.attempt,
      retryAt: view.now,
      delaySeconds: 0,
      failureClass: 'user',
      retriesSpent: step.retriesSpent + 1,
    } as const;
    return [{ type: 'record', event: retry }, next];
  }
  if (lease === undefined || lease.expires > view.now) return [];
  const lost = { type: 'step_lost', stepKey: STEP, attempt: step.attempt, reason: 'expired' } as const;
  return [{ type: 'record', event: lost }, next];
}

/** Runs a move; returns what it was told. */
async function make({ store, clock }: OpenedStore, runId: string, step: Move): Promise<string> {
  if (step.type === 'wait') {
    clock.advance(step.ms);
    return 'ok';
  }
  if (step.type === 'engine') {
    await store.runs.advance(runId, NO_LIMITS, decide);
    return 'ok';
  }
  const { attempt } = (await store.runs.state(runId))!.steps[STEP]!;
  const ref = {
    runId,
    stepKey: STEP,
    attempt: attempt - step.back,
    queue: '',
    timeoutMs: null,
    leaseTtlMs: TTL,
  };
  switch (step.type) {
    case 'acquire':
      return store.steps.acquire(ref, step.holder);
    case 'renew':
      return store.steps.renew(ref, step.holder);
    case 'append':
      return store.steps.append(ref, [
        { n: step.n, event: { type: 'log', level: 'info', message: `${ref.attempt}.${step.n}` } },
      ]);
    case 'finish':
      return store.steps.finish(ref, step.ok ? OK : failure(), []);
    case 'take_over':
      return store.steps.takeOver(ref, step.from, step.to);
  }
}

/** Reads the log alone: what may not be in it, whatever happened. */
function expectFenced(events: readonly EventRecord[]): void {
  let current = 0;
  let heard = false;
  const numbers = new Set<string>();
  for (const { event, attempt, n } of events) {
    if (event.type === 'step_dispatched') {
      expect(event.attempt).toBe(current + 1);
      current = event.attempt;
      heard = true;
      continue;
    }
    if (event.type === 'step_lost') heard = false;
    if (event.type === 'log') {
      expect({ attempt, heard }).toEqual({ attempt: current, heard: true });
      expect(numbers.has(`${attempt}.${n}`)).toBe(false);
      numbers.add(`${attempt}.${n}`);
    }
    if (event.type === 'step_succeeded' || event.type === 'step_failed') {
      expect({ attempt, heard }).toEqual({ attempt: current, heard: true });
      heard = false;
    }
  }
}

async function log(store: Store, runId: string): Promise<readonly EventRecord[]> {
  return store.events({ after: 0, limit: 10_000, runId });
}

/** Laws 5 and 7: never two recorded results of an attempt, never a word of an attempt that lost its lease. */
export function describeFence(open: OpenStore): void {
  describe('fence', () => {
    it('holds under any interleaving of holders, engine and clock', async () => {
      const opened = await open();
      await publish(opened.store, SAMPLE);
      await fc.assert(
        fc.asyncProperty(fc.array(move, { minLength: 5, maxLength: 40 }), async (moves) => {
          opened.clock.set(NOON);
          const [runId] = (await launch(opened, SAMPLE, { assets: ['orders'] })) as [string];
          await opened.store.runs.advance(runId, NO_LIMITS, decide);
          for (const step of moves) await make(opened, runId, step);
          expectFenced(await log(opened.store, runId));
        }),
        { numRuns: 60 },
      );
      await opened.close();
    });

    it('holds when everybody speaks at once', async () => {
      const opened = await open();
      await publish(opened.store, SAMPLE);
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(move, { minLength: 2, maxLength: 8 }), { minLength: 2, maxLength: 6 }),
          async (rounds) => {
            opened.clock.set(NOON);
            const [runId] = (await launch(opened, SAMPLE, { assets: ['orders'] })) as [string];
            await opened.store.runs.advance(runId, NO_LIMITS, decide);
            for (const round of rounds) {
              await Promise.all(round.map(async (step) => make(opened, runId, step)));
            }
            const events = await log(opened.store, runId);
            expectFenced(events);
            const state = await opened.store.runs.state(runId);
            await opened.store.operations.rebuildProjections();
            expect(await opened.store.runs.state(runId)).toEqual(state);
          },
        ),
        { numRuns: 20 },
      );
      await opened.close();
    });

    it('would be seen to fail: the reader of the log refuses a late word and a second result', () => {
      const at = { eventId: 1, runId: 'r', stepKey: STEP, n: null, at: 0 };
      const dispatched = {
        ...at,
        attempt: 1,
        event: { type: 'step_dispatched', stepKey: STEP, attempt: 1, pools: [] } as const,
      };
      const late = { ...at, attempt: 1, n: 1, event: { type: 'log', level: 'info', message: '' } as const };
      const result = { ...at, attempt: 1, event: OK };
      expectFenced([dispatched, late, result]);
      expect(() => expectFenced([dispatched, result, late])).toThrow();
      expect(() => expectFenced([dispatched, result, result])).toThrow();
      expect(() => expectFenced([dispatched, dispatched])).toThrow();
    });
  });
}

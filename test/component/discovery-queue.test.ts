import { expect, it } from 'vitest';
import { createDiscoveryQueue, type DiscoveryQueueOptions } from '../../src/component/discovery-queue.ts';
import type { DiscoveryJob, DiscoveryResult } from '../../src/discovery/discover.ts';
import { createLogger } from '../../src/lib/log.ts';
import { fakeClock } from '../helpers/fake-clock.ts';
import { pipelineState } from '../helpers/snapshots.ts';

function job(name: string): DiscoveryJob {
  const { config, code } = pipelineState(name);
  return { kind: 'dbt_parse', inputsDigest: name, pipeline: name, code, config };
}

function resultOf({ inputsDigest, kind }: DiscoveryJob): DiscoveryResult {
  return { inputsDigest, kind, status: 'complete', assets: [], diagnostics: [] };
}

function queueOf(run: DiscoveryQueueOptions['run']) {
  const clock = fakeClock(0);
  const results: string[] = [];
  const queue = createDiscoveryQueue({
    run,
    onStart: () => Promise.resolve(),
    onResult: (_, { pipeline }) => {
      results.push(pipeline);
      return Promise.resolve();
    },
    clock,
    log: createLogger('silent'),
  });
  return { queue, clock, results };
}

it('runs one job at a time and each content once', async () => {
  let running = 0;
  let most = 0;
  const { queue, results } = queueOf(async (one) => {
    most = Math.max(most, ++running);
    await Promise.resolve();
    running--;
    return resultOf(one);
  });
  queue.offer('x', [job('a'), job('b')]);
  queue.offer('y', [job('a'), job('c')]);
  await queue.idle();
  expect(results).toEqual(['a', 'b', 'c']);
  expect(most).toBe(1);
  await queue.close();
});

it('a newer wish replaces what has not started', async () => {
  const { queue, results } = queueOf(async (one) => {
    if (one.pipeline === 'a') queue.offer('x', [job('c')]);
    return resultOf(one);
  });
  queue.offer('x', [job('a'), job('b')]);
  await queue.idle();
  expect(results).toEqual(['a', 'c']);
  await queue.close();
});

it('what could not run is tried again after a growing wait', async () => {
  const attempts: number[] = [];
  const { queue, clock, results } = queueOf(async (one) => {
    attempts.push(clock.now());
    if (attempts.length < 3) throw new Error('no environment');
    return resultOf(one);
  });
  queue.offer('x', [job('a')]);
  await queue.idle();
  for (let tick = 0; tick < 10; tick++) {
    clock.advance(10_000);
    await new Promise((resolve) => setImmediate(resolve));
    await queue.idle();
  }
  expect(attempts).toEqual([0, 20_000, 50_000]);
  expect(results).toEqual(['a']);
  await queue.close();
});

it('close ends the job under way and forgets the rest', async () => {
  const started: string[] = [];
  const { queue, results } = queueOf((one, signal) => {
    started.push(one.pipeline);
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));
  });
  queue.offer('x', [job('a'), job('b')]);
  await new Promise((resolve) => setImmediate(resolve));
  await queue.close();
  expect(started).toEqual(['a']);
  expect(results).toEqual([]);
});

import { expect, it } from 'vitest';
import { seededRandom } from '../../src/engine/seeded-random.ts';

it('spreads evenly over [0, 1), neighbouring seeds too, and repeats itself', () => {
  const buckets = Array.from({ length: 10 }, () => 0);
  for (let index = 0; index < 10_000; index++) {
    const value = seededRandom(`run/step/${index}`);
    expect(value).toBe(seededRandom(`run/step/${index}`));
    buckets[Math.floor(value * 10)]! += 1;
  }
  for (const count of buckets) expect(count).toBeGreaterThan(850);
  expect(buckets.reduce((sum, count) => sum + count)).toBe(10_000);
});

import { describe, it } from 'vitest';
import { checkScheduler } from '../helpers/scheduler-model.ts';

describe('the scheduler', () => {
  it('T2, T4, T5: fires every due instant exactly once, over edits, crashes, stops and clock moves', async () => {
    await checkScheduler(400);
  });
});

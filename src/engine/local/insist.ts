import { OperationalError } from '../../lib/errors.ts';
import type { StepMachine } from '../step-machine.ts';

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 10_000;
/** Beyond this the attempt is left to the next start of the service: its process and its files stay. */
const ATTEMPTS = 60;

/** Repeats a write to the store that is refused for now (a full disk, a locked database): what a step did is not lost. */
export async function insist<T>(
  machine: Pick<StepMachine, 'clock' | 'logger'>,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1, wait = FIRST_WAIT_MS; ; attempt++, wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof OperationalError) || attempt === ATTEMPTS) throw error;
      machine.logger.warn({ err: error, attempt }, 'the store refused a write of a step');
      await machine.clock.sleepUntil(machine.clock.now() + wait);
    }
  }
}

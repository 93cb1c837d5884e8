import { lockHome } from '../../../src/store/home-lock.ts';

/** Holds the lock of a home until it is killed. */
try {
  await lockHome(process.argv[2]!);
  console.log('locked');
  setInterval(() => undefined, 60_000);
} catch (error) {
  console.log(error instanceof Error ? error.message : 'refused');
}

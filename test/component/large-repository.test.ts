import { it } from 'vitest';
import { expectBounded } from './large-repository.ts';

it('G14: a large repository is refreshed in bounded time, memory and disk, and only what changed is read again', () =>
  expectBounded(
    // More commits than are fetched.
    { folders: 200, files: 5_000, commits: 60, bytes: 100_000 },
    {
      firstSeconds: 3,
      nextSeconds: 1.5,
      memoryBytes: 100_000_000,
      mirrorBytes: 1_000_000,
      silenceMs: 1_000,
    },
  ));

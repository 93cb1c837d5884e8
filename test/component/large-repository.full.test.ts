import { it } from 'vitest';
import { expectBounded } from './large-repository.ts';

it('G14: 2,000 folders beside 100,000 files and a history of half a gigabyte', () =>
  expectBounded(
    { folders: 2_000, files: 100_000, commits: 100, bytes: 5_000_000 },
    {
      firstSeconds: 30,
      nextSeconds: 5,
      memoryBytes: 600_000_000,
      mirrorBytes: 40_000_000,
      silenceMs: 2_000,
    },
  ));

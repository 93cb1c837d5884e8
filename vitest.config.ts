import { defineConfig } from 'vitest/config';
import { SummaryReporter } from './scripts/summary-reporter.ts';

const shared = {
  environment: 'node',
  pool: 'forks',
  // The machine's Git settings and prompts must not reach a test.
  env: { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null', GIT_TERMINAL_PROMPT: '0' },
} as const;

const slow = { ...shared, testTimeout: 180_000, hookTimeout: 180_000 } as const;

/** The file's name says how much a test costs; scripts/test.sh chooses the projects. */
export default defineConfig({
  test: {
    // On two cores too: half of the time of most tests is spent on waiting for a process.
    maxWorkers: 3,
    reporters: ['default', new SummaryReporter()],
    projects: [
      {
        test: {
          ...shared,
          name: 'quick',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.{slow,full}.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      { test: { ...slow, name: 'slow', include: ['test/**/*.slow.test.ts'] } },
      { test: { ...slow, name: 'full', include: ['test/**/*.full.test.ts'] } },
    ],
  },
});

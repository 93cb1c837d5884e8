import { describe, expect, it } from 'vitest';
import type { PipelineConfig } from '../../src/discovery/pipeline-config.ts';
import { limitError, type PassedLimit } from '../../src/engine/limit-error.ts';
import type { StepSpec } from '../../src/plan/step-spec.ts';
import { stepSpec } from '../helpers/run-step-command.ts';

const LIMITS = { memoryBytes: 2e9, cpuTimeSeconds: 60 };
const spec = (config: Partial<PipelineConfig> = { limits: LIMITS }, fields: Partial<StepSpec> = {}) =>
  stepSpec('dlt', { name: 'orders', ...config }, { limits: LIMITS, ...fields });
const NOTHING = { passed: null, keptBy: 'rlimit', maxRssKb: 1_500_000, signal: null, texts: [] } as const;
const passed = (name: PassedLimit['name'], limit: number, used: number) => ({
  ...NOTHING,
  passed: { name, limit, used },
});

it('names the limit, what was used, and the file to change', () => {
  expect(limitError(spec(), passed('memory', 2e9, 2.1e9))).toEqual({
    code: 'STEP_LIMIT',
    message:
      'it used 2.1 GB of memory, 2GB are allowed. To allow more, raise limits.memory in ' +
      'pipelines/dlt/orders/dagster.yaml; else let the step do less at once',
    failureClass: 'limit',
  });
  expect(limitError(spec(), passed('cpu_time', 60, 60.04))?.message).toMatch(
    /^it used 60 s of processor time, 60 s are allowed\. To allow more, raise limits\.cpu_time in pipelines/,
  );
});

it("names the root's file for a limit of the instance", () => {
  const error = limitError(spec({ limits: { cpuTimeSeconds: 60 } }), passed('memory', 2e9, 2.1e9));
  expect(error?.message).toContain(
    'limits.memory in dagster.yaml at the root of the repository (or set it in pipelines/dlt/orders/dagster.yaml)',
  );
});

describe('a program that was refused memory', () => {
  it.each([
    'MemoryError: ',
    'numpy._core._exceptions._ArrayMemoryError: Unable to allocate 7.45 GiB for an array',
    '_duckdb.OutOfMemoryException: Out of Memory Error: Allocation failure',
    'Out of Memory Error: Failed to allocate block of 16777216 bytes (bad allocation)',
    "terminate called after throwing an instance of 'std::bad_alloc'",
    'fatal error: runtime: cannot allocate memory',
    'runtime: out of memory: cannot allocate 4194304-byte block (0 in use)',
    'OSError: [Errno 12] Cannot allocate memory',
    'runtime/cgo: pthread_create failed: Resource temporarily unavailable',
    "RuntimeError: can't start new thread",
  ])('is known by its words: %s', (text) => {
    expect(limitError(spec(), { ...NOTHING, texts: [undefined, text] })).toMatchObject({
      failureClass: 'limit',
      message: expect.stringContaining(
        'it asked for more memory than the 2GB that are allowed (it held 1.54 GB at most). To allow more',
      ) as string,
    });
  });

  it('is known by how it crashed, when it held much of what is allowed', () => {
    const crashed = { ...NOTHING, signal: 'SIGSEGV', texts: ['the process ended with signal SIGSEGV'] };
    expect(limitError(spec(), crashed)).toMatchObject({ code: 'STEP_LIMIT' });
    expect(limitError(spec(), { ...crashed, maxRssKb: 300_000 })).toBeNull();
    expect(limitError(spec(), { ...crashed, signal: 'SIGKILL' })).toBeNull();
  });

  it.each<[string, StepSpec, object]>([
    ['without a limit of memory', spec({}, { limits: { cpuTimeSeconds: 60 } }), {}],
    ['whose limit the kernel keeps, and did not meet', spec(), { keptBy: 'cgroup' }],
    ['that says nothing of memory', spec(), { texts: ["KeyError: 'memory'"] }],
  ])('is not suspected %s', (_, given, fields) => {
    expect(limitError(given, { ...NOTHING, texts: ['MemoryError'], ...fields })).toBeNull();
  });
});

import { describe, expect, it } from 'vitest';
import { type ProcessExit, stepOutcome } from '../../src/engine/step-outcome.ts';
import { createStepReport } from '../../src/engine/step-report.ts';
import type { PlannedAsset } from '../../src/plan/run-plan.ts';
import type { StepSpec } from '../../src/plan/step-spec.ts';
import { stepSpec } from '../helpers/run-step-command.ts';

const OK: ProcessExit = {
  reason: 'exited',
  exitCode: 0,
  signal: null,
  seconds: 2,
  forced: false,
  maxRssKb: 100,
  message: '',
};

const asset = (key: string, fields: Partial<PlannedAsset> = {}): PlannedAsset => ({
  key,
  partitions: { kind: 'none' },
  blockingChecks: ['c'],
  codeVersion: '1',
  ...fields,
});

function spec(tool: 'dlt' | 'python' | 'dbt', fields: Partial<StepSpec> = {}): StepSpec {
  return { ...stepSpec(tool, {}), assets: [asset('a'), asset('b')], timeoutMs: 5_000, ...fields };
}

const wrote = (asset_key: string, partition?: string) => ({
  type: 'materialization',
  asset_key,
  metadata: {},
  ...(partition === undefined ? {} : { partition }),
});
const checked = (asset_key: string, passed: boolean) => ({
  type: 'check',
  asset_key,
  check_name: 'c',
  passed,
  severity: 'ERROR',
  metadata: {},
});
const end = (status: string, fields = {}) => ({ type: 'end', status, ...fields });

function outcome(
  given: StepSpec,
  lines: readonly unknown[],
  exit: Partial<ProcessExit> = {},
  stderr: string | null = null,
) {
  const report = createStepReport(
    given,
    (text) => text,
    () => 1,
  );
  for (const line of lines) report.line(JSON.stringify(line));
  const text = stderr === null ? null : { message: stderr, isBusy: stderr.includes('locked') };
  return stepOutcome(given, report, { ...OK, ...exit }, () => text);
}

describe('success needs the word of the runner and the exit code together', () => {
  it.each<[string, 'dlt' | 'python', readonly unknown[], Partial<ProcessExit>, string, string?]>([
    ['end and 0', 'dlt', [end('ok')], {}, 'step_succeeded'],
    ['a script and 0', 'python', [], {}, 'step_succeeded'],
    ['no end', 'dlt', [wrote('a'), wrote('b')], {}, 'step_failed', 'lost'],
    [
      'end, then a crash',
      'dlt',
      [end('ok')],
      { exitCode: null, signal: 'SIGSEGV' },
      'step_failed',
      'transient',
    ],
    ['a failed end and 0', 'dlt', [end('failed', { failure_class: 'data' })], {}, 'step_failed', 'data'],
    ['a script that says it failed', 'python', [end('failed')], {}, 'step_failed', 'user'],
    [
      'assets that the tool did not reach',
      'dlt',
      [end('ok', { unfinished_assets: ['b'] })],
      {},
      'step_failed',
      'user',
    ],
    ['done although it was told to stop', 'dlt', [end('ok')], { reason: 'cancelled' }, 'step_succeeded'],
    ['done although its time was over', 'dlt', [end('ok')], { reason: 'timeout' }, 'step_succeeded'],
    ['a script that was told to stop', 'python', [], { reason: 'cancelled' }, 'step_canceled'],
    ['told to stop', 'dlt', [end('cancelled')], { reason: 'cancelled', exitCode: 143 }, 'step_canceled'],
    [
      'time over',
      'python',
      [],
      { reason: 'timeout', exitCode: null, signal: 'SIGTERM' },
      'step_failed',
      'timeout',
    ],
    [
      'nobody renewed',
      'python',
      [],
      { reason: 'lease_expired', exitCode: null, signal: 'SIGKILL' },
      'step_failed',
      'lost',
    ],
    ['vanished', 'python', [], { reason: 'vanished', exitCode: null }, 'step_failed', 'lost'],
    ['killed by somebody', 'python', [], { exitCode: null, signal: 'SIGKILL' }, 'step_failed', 'transient'],
    ['an exit code', 'python', [], { exitCode: 1 }, 'step_failed', 'user'],
  ])('%s', (_name, tool, lines, exit, type, failureClass) => {
    const { result } = outcome(spec(tool), lines, exit);
    expect(result.type).toBe(type);
    if (result.type === 'step_failed') expect(result.error.failureClass).toBe(failureClass);
  });

  it('E2: a script that met a locked file is busy, not broken', () => {
    const { result } = outcome(spec('python'), [], { exitCode: 1 }, 'database is locked');
    expect(result).toMatchObject({ error: { code: 'RESOURCE_BUSY', failureClass: 'resource_busy' } });
  });
});

describe('E3: never from the text of the output', () => {
  it('exit code 0 with an error in the output has succeeded', () => {
    const said = 'Traceback (most recent call last):\nValueError: amount\nFATAL: 3 of 5 failed';
    expect(outcome(spec('python'), [], {}, said).result.type).toBe('step_succeeded');
    expect(outcome(spec('dlt'), [end('ok')], {}, said).result.type).toBe('step_succeeded');
  });

  it('exit code 1 after everything was committed has failed, and keeps what is written', () => {
    const { result } = outcome(spec('dlt'), [wrote('a'), wrote('b'), end('ok')], { exitCode: 1 }, 'all good');
    expect(result).toMatchObject({
      type: 'step_failed',
      finishedAssets: ['a', 'b'],
      error: { failureClass: 'user', exitCode: 1 },
    });
  });

  it('one that the kernel ended for want of memory is named so, whatever it printed (137)', () => {
    const killed = { exitCode: null, signal: 'SIGKILL', isOomKilled: true, maxRssKb: 1_500_000 };
    expect(outcome(spec('dlt'), [wrote('a')], killed, 'done').result).toMatchObject({
      finishedAssets: ['a'],
      error: {
        code: 'STEP_OUT_OF_MEMORY',
        failureClass: 'transient',
        signal: 'SIGKILL',
        message: expect.stringContaining(
          '(SIGKILL, exit code 137 of a shell) while it held 1.54 GB',
        ) as string,
      },
    });
  });

  it('one that its own limit ended is named so', () => {
    const limits = { memoryBytes: 1e9 };
    const killed = {
      exitCode: null,
      signal: 'SIGKILL',
      passedLimit: { name: 'memory', limit: 1e9, used: 1e9 },
    } as const;
    expect(outcome(spec('dlt', { limits }), [], killed).result).toMatchObject({
      error: { code: 'STEP_LIMIT', failureClass: 'limit' },
    });
  });
});

describe('what counts as written', () => {
  it('after a success: all that was planned, what was not reported by implication', () => {
    const { implied } = outcome(spec('python'), [wrote('a')]);
    expect(implied).toEqual([
      { assetKey: 'b', partitions: [], metadata: { commit: 'c'.repeat(40), seconds: 2 } },
    ]);
  });

  it('after a failure of a loader: what it reported, so that its retry runs only the rest', () => {
    expect(outcome(spec('dlt'), [wrote('a')], { exitCode: 1 }).result).toMatchObject({
      finishedAssets: ['a'],
    });
  });

  it('after a failure: not what the tool says is still to be made, although it is written', () => {
    const lines = [
      wrote('a'),
      wrote('b'),
      end('failed', { failure_class: 'data', unfinished_assets: ['a'] }),
    ];
    expect(outcome(spec('dbt'), lines, { exitCode: 1 }).result).toMatchObject({ finishedAssets: ['b'] });
  });

  it('after a failure of a script: nothing, because it runs as a whole', () => {
    expect(outcome(spec('python'), [wrote('a')], { exitCode: 1 }).result).toMatchObject({
      finishedAssets: [],
    });
  });

  it.each<[string, PlannedAsset['partitions'], readonly string[], boolean]>([
    ['one key', { kind: 'key', key: 'k1' }, ['k1'], true],
    ['another key', { kind: 'key', key: 'k1' }, ['k2'], false],
    ['all keys', { kind: 'keys', keys: ['k1', 'k2'] }, ['k2', 'k1'], true],
    ['one of two', { kind: 'keys', keys: ['k1', 'k2'] }, ['k1'], false],
    [
      'a range as far as it is spelled out',
      { kind: 'range', start: 'k1', end: 'k3' },
      ['k1', 'k2', 'k3'],
      true,
    ],
    ['half a range', { kind: 'range', start: 'k1', end: 'k3' }, ['k1', 'k3'], false],
  ])('of partitions: %s', (_name, partitions, keys, isFinished) => {
    const given = spec('dlt', { assets: [asset('a', { partitions })], partitionKeys: ['k1', 'k2', 'k3'] });
    const { result } = outcome(
      given,
      keys.map((key) => wrote('a', key)),
      { exitCode: 1 },
    );
    expect(result).toMatchObject({ finishedAssets: isFinished ? ['a'] : [] });
  });
});

describe('blocking checks', () => {
  it('fail a step that did its work; what they found bad has to be made again', () => {
    const { result, implied } = outcome(spec('dbt'), [
      wrote('a'),
      checked('a', false),
      wrote('b'),
      end('ok'),
    ]);
    expect(result).toMatchObject({
      type: 'step_failed',
      error: { code: 'BLOCKING_CHECK_FAILED', failureClass: 'data' },
      finishedAssets: ['b'],
      failedBlockingChecks: ['a:c'],
    });
    expect(implied).toEqual([]);
  });

  it('count by their newest result, and only if they block', () => {
    const lines = [checked('a', false), checked('a', true), end('ok')];
    expect(outcome(spec('dbt'), lines).result.type).toBe('step_succeeded');
    const given = spec('dbt', { assets: [asset('a', { blockingChecks: [] })] });
    expect(outcome(given, [checked('a', false), end('ok')]).result.type).toBe('step_succeeded');
  });

  it('count for each partition by itself: another one that passes later does not make it good', () => {
    const of = (partition: string, passed: boolean) => ({ ...checked('a', passed), partition });
    const lines = [of('2026-01-05', false), of('2026-01-06', true), end('ok')];
    expect(outcome(spec('dbt'), lines).result).toMatchObject({ failedBlockingChecks: ['a:c'] });
    const again = [...lines.slice(0, 2), of('2026-01-05', true), end('ok')];
    expect(outcome(spec('dbt'), again).result.type).toBe('step_succeeded');
  });
});

describe('an attempt that ends in the middle of its checks', () => {
  const lines = [wrote('a'), { type: 'written' }, checked('a', true)];

  it.each<['dlt' | 'python' | 'dbt', Partial<ProcessExit>, string]>([
    ['dlt', { reason: 'vanished', exitCode: null }, 'lost'],
    ['python', { reason: 'lease_expired', exitCode: null, signal: 'SIGKILL' }, 'lost'],
    ['dbt', { reason: 'timeout', exitCode: null, signal: 'SIGINT' }, 'timeout'],
  ])('has written all of it: %s', (tool, exit, failureClass) => {
    const { result, implied } = outcome(spec(tool), [...lines, end('ok')], exit);
    expect(result).toMatchObject({
      type: 'step_failed',
      finishedAssets: ['a', 'b'],
      error: { failureClass },
    });
    expect(implied.map(({ assetKey }) => assetKey)).toEqual(['b']);
  });

  it('waits for a locked file without writing anything again', () => {
    const busy = end('failed', { failure_class: 'resource_busy', error: { name: 'X', message: 'locked' } });
    const { result } = outcome(spec('python'), [...lines, busy], { exitCode: 1 });
    expect(result).toMatchObject({
      finishedAssets: ['a', 'b'],
      error: { code: 'RESOURCE_BUSY', failureClass: 'resource_busy' },
    });
  });

  it('has its materializations although it was canceled', () => {
    const { result, implied } = outcome(spec('python'), lines, { reason: 'cancelled', exitCode: null });
    expect(result.type).toBe('step_canceled');
    expect(implied.map(({ assetKey }) => assetKey)).toEqual(['b']);
  });

  it('and the next one hears the checks of what was written before', () => {
    const given = spec('dlt', { assets: [], written: [asset('a')] });
    const { result, implied } = outcome(given, [checked('a', false), end('ok')]);
    expect(result).toMatchObject({ failedBlockingChecks: ['a:c'], error: { failureClass: 'data' } });
    expect(implied).toEqual([]);
  });
});

describe('the stream', () => {
  const report = (given = spec('python')) =>
    createStepReport(
      given,
      (text) => text.replaceAll('secret', '***'),
      () => 1.5,
    );

  it('E8: stamps materializations with the commit, and keeps what the runner said itself', () => {
    const event = report().line(JSON.stringify({ ...wrote('a'), metadata: { seconds: 9, rows: 1 } }));
    expect(event).toMatchObject({ metadata: { commit: 'c'.repeat(40), seconds: 9, rows: 1 } });
  });

  it.each<[string, string, unknown]>([
    ['what is not JSON', '{"type": secret', { type: 'log', level: 'warning' }],
    ['what is not an object', '[1]', { type: 'log', level: 'warning' }],
    ['an asset of another step', JSON.stringify(wrote('zzz')), { type: 'log', level: 'warning' }],
    [
      'an unknown type',
      '{"type":"odd","x":["a secret"]}',
      { type: 'other', payload: { type: 'odd', x: ['a ***'] } },
    ],
    ['a known type in a wrong form', '{"type":"log"}', { type: 'other', payload: { type: 'log' } }],
  ])('survives %s', (_name, line, expected) => {
    const event = report().line(line);
    expect(event).toMatchObject(expected as object);
    expect(JSON.stringify(event)).not.toContain('secret');
  });

  it('drops chatter beyond a limit, and never a result', () => {
    const chatty = report();
    const log = JSON.stringify({ type: 'log', level: 'info', message: 'x' });
    let stored = 0;
    for (let index = 0; index < 25_000; index++) if (chatty.line(log) !== null) stored += 1;
    expect(stored).toBe(20_000);
    expect(chatty.line(JSON.stringify(wrote('a')))).not.toBeNull();
  });
});

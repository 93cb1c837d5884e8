import { describe, expect, it } from 'vitest';
import type { DiscoverOutput, DiscoveryResult } from '../../src/discovery/discover.ts';
import { discover, failureOf, keysOf, linesOf, stateOf } from '../helpers/discover.ts';

const FILES = {
  'pipelines/report/dagster.yaml': 'script: { command: [python, main.py] }\n',
  'pipelines/report/main.py': 'print(1)\n',
  'pipelines/report/requirements.txt': 'polars\n',
};

function result(output: DiscoverOutput, fields: Partial<DiscoveryResult>): DiscoveryResult {
  const { inputsDigest, kind } = output.jobs[0]!;
  return { inputsDigest, kind, status: 'complete', assets: [], diagnostics: [], ...fields };
}

async function served(): Promise<{ output: DiscoverOutput; results: Map<string, DiscoveryResult> }> {
  const first = await discover(FILES);
  const good = result(first, { envKey: 'abc' });
  const results = new Map([[good.inputsDigest, good]]);
  return { output: await discover(FILES, { results }), results };
}

describe('a folder with requirements of its own', () => {
  it('has its environment made in the background; its assets are known at once', async () => {
    const output = await discover(FILES);
    expect(output.jobs.map(({ kind, pipeline }) => [kind, pipeline])).toEqual([
      ['environment', 'python_report'],
    ]);
    expect(keysOf(output, 'report')).toEqual(['report']);
    expect(stateOf((await served()).output, 'report').discovery).toEqual({
      method: 'declared',
      status: 'complete',
      inputsDigest: output.jobs[0]!.inputsDigest,
      envKey: 'abc',
    });
  });

  it('asks again for other requirements, not for another script', async () => {
    const { output, results } = await served();
    const previous = [stateOf(output, 'report')];
    const script = { ...FILES, 'pipelines/report/main.py': 'print(2)\n' };
    const edited = await discover(script, { results, previous });
    expect(edited.jobs).toEqual([]);
    expect(stateOf(edited, 'report').code.contentDigest).not.toBe(previous[0]!.code.contentDigest);
    const other = { ...FILES, 'pipelines/report/requirements.txt': 'polars==9\n' };
    const waiting = await discover(other, { results, previous });
    expect(waiting.jobs).toHaveLength(1);
    // What runs stays what it was, until the new one is known to be there.
    expect(stateOf(waiting, 'report').code).toEqual(previous[0]!.code);
  });

  it('that cannot be met keeps its last good revision, and says why at its file', async () => {
    const { output, results } = await served();
    const previous = [stateOf(output, 'report')];
    const bad = { ...FILES, 'pipelines/report/requirements.txt': 'polars==9\n' };
    const asked = await discover(bad, { results, previous });
    const failed = result(asked, {
      status: 'failed',
      diagnostics: [
        {
          code: 'ENVIRONMENT_FAILED',
          severity: 'error',
          message: 'requirements.txt: there is no version of polars==9',
          file: 'pipelines/report/requirements.txt',
          line: 0,
          column: 0,
        },
      ],
    });
    const told = await discover(bad, {
      results: new Map([...results, [failed.inputsDigest, failed]]),
      previous,
    });
    expect(failureOf(told, 'report').dir).toBe('pipelines/report');
    expect(linesOf(told)).toEqual([
      'pipelines/report/requirements.txt error ENVIRONMENT_FAILED requirements.txt: there is no version of polars==9',
    ]);
  });

  it('is not asked for where the default environment serves', async () => {
    const { 'pipelines/report/requirements.txt': _, ...plain } = FILES;
    expect((await discover(plain)).jobs).toEqual([]);
  });
});

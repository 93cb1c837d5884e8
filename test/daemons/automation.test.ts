import { describe, expect, it } from 'vitest';
import type { PartitionsDefinition } from '../../src/partitions/definition/partitions-definition.ts';
import type { SamplePipeline } from '../helpers/sample-definitions.ts';

import { openAutomation, type Sample } from './automation-harness.ts';

const T0 = Date.UTC(2026, 0, 20, 12, 0, 30);

interface AssetSketch {
  readonly deps?: readonly string[];
  readonly when?: string;
  readonly partitions?: PartitionsDefinition;
  readonly checks?: SamplePipeline['assets'][string]['checks'];
  readonly enabled?: boolean;
  readonly held?: boolean;
}

/** Each asset in a folder of its own. */
function shop(assets: Readonly<Record<string, AssetSketch>>): Sample {
  return Object.fromEntries(
    Object.entries(assets).map(([key, { deps = [], when, partitions, checks, enabled, held }]) => [
      key,
      {
        ...(held === undefined ? {} : { held }),
        config: {
          ...(when === undefined ? {} : { automation: { condition: when } }),
          ...(partitions === undefined ? {} : { partitions }),
          ...(enabled === undefined ? {} : { enabled }),
        },
        assets: { [key]: { deps, ...(checks === undefined ? {} : { checks }) } },
      },
    ]),
  );
}

const CHAIN = shop({
  raw: {},
  staged: { deps: ['raw'], when: 'eager' },
  mart: { deps: ['staged'], when: 'eager' },
});

describe('automation', () => {
  it('requests a chain of eager assets in one evaluation and one run', async () => {
    const h = await openAutomation(CHAIN, T0);
    expect(await h.look()).toEqual([]);
    await h.succeed(await h.launch(['raw']));
    expect(await h.look()).toEqual(['staged+mart']);
    const [run] = await h.store.runs.list({ limit: 1 });
    expect(run!.cause).toMatchObject({ kind: 'automation' });
    expect(h.woken).toEqual([run!.runId]);
    expect(await h.look()).toEqual([]);
    await h.succeed();
    expect(await h.look()).toEqual([]);
    await h.close();
  });
});

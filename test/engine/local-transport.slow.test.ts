import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect } from 'vitest';
import { openTestEngine, type TestEngine } from '../helpers/engine.ts';
import { warmScripts } from '../helpers/warm-script.ts';
import { stepTransportConformance } from './conformance/step-transport.ts';

describe.each(['cold', 'warm'])('local transport, %s starts', (starts) => {
  const scripts = starts === 'warm' ? warmScripts() : null;
  let home: string;
  let test: TestEngine;
  const homes: string[] = [];

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'elt-engine-'));
    homes.push(home);
    test = await openTestEngine({ home, limits: { pools: { one: 1 } }, ...scripts });
  });
  afterEach(async () => {
    await test.close();
    // Nothing of an attempt that has ended is kept.
    expect(readdirSync(join(home, 'steps'))).toEqual([]);
  });
  afterAll(async () => {
    await scripts?.remove();
    for (const folder of homes) rmSync(folder, { recursive: true, force: true });
  });

  stepTransportConformance({ test: () => test, folder: () => home });
});

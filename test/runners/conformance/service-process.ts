/**
 * A service of store and engine with the real tools: `node service-process.ts HOME RUN_FILE TOOL`. Adopts what an earlier
 * one left; launches the run of RUN_FILE if there is none yet. Says, one per line: `run ID`, `started`, `held` (the tool is in
 * the middle of its work), `finished STATUS`.
 */
import { readFileSync } from 'node:fs';
import type { TestStep } from '../../helpers/engine.ts';
import { tools } from './tools.ts';
import { isHeld, openToolEngine } from './world.ts';

const [home, runFile, tool] = process.argv.slice(2) as [string, string, string];
const test = await openToolEngine(home);
await test.engine.adopt();
const [known] = await test.store.runs.list({ limit: 1 });
const runId = known?.runId ?? (await test.launch(JSON.parse(readFileSync(runFile, 'utf8')) as TestStep[]));
process.stdout.write(`run ${runId}\n`);
void test
  .seen(runId, ({ event }) => event.type === 'step_started')
  .then(() => process.stdout.write('started\n'));
const stands = tools.find(({ name }) => name === tool)!.stands?.('running');
void test.seen(runId, stands ?? isHeld).then(() => process.stdout.write('held\n'));
await test.engine.finished(runId);
process.stdout.write(`finished ${(await test.store.runs.state(runId))?.status}\n`);
await test.close();
process.exit(0);

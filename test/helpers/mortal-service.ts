/**
 * A service of store and engine only, that can be killed: `node mortal-service.ts HOME RUN_FILE CRASH_POINT [PYTHON_DIR]`,
 * with warm starts of scripted steps if a folder with their package is named.
 * Adopts what an earlier one left; launches the run of RUN_FILE if there is none yet; dies by SIGKILL at CRASH_POINT
 * ('' = never). Says on stdout, one per line: `run ID`, `adopted {counts}`, `finished STATUS`.
 */
import { readFileSync } from 'node:fs';
import { openTestEngine, type TestStep } from './engine.ts';
import { warmScripts } from './warm-script.ts';

const [home, runFile, crashAt, pythonDir] = process.argv.slice(2) as [string, string, string, string?];
const scripts = pythonDir === undefined ? null : warmScripts({}, {}, pythonDir);

const test = await openTestEngine({
  home,
  logLevel: 'warn',
  ...scripts,
  crashPoint(point) {
    if (point === crashAt) process.kill(process.pid, 'SIGKILL');
  },
});
const counts = await test.engine.adopt();
process.stdout.write(`adopted ${JSON.stringify(counts)}\n`);
const [known] = await test.store.runs.list({ limit: 1 });
const runId = known?.runId ?? (await test.launch(JSON.parse(readFileSync(runFile, 'utf8')) as TestStep[]));
process.stdout.write(`run ${runId}\n`);
await test.engine.finished(runId);
process.stdout.write(`finished ${(await test.store.runs.state(runId))?.status}\n`);
await test.close();
await scripts?.warmStarts.close();

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createWarmStarts } from '../../../src/engine/local/warm/warm-starts.ts';
import type { EventRecord } from '../../../src/events/run-event.ts';
import type { RunState } from '../../../src/events/run-state.ts';
import { createLogger } from '../../../src/lib/log.ts';
import { dbtRunner } from '../../../src/runners/dbt.ts';
import { dltRunner } from '../../../src/runners/dlt.ts';
import { pythonRunner } from '../../../src/runners/python.ts';
import { slingRunner } from '../../../src/runners/sling.ts';
import { openTestEngine, type TestEngine, type TestStep } from '../../helpers/engine.ts';
import { ROOT, testTools } from '../../helpers/tool-environments.ts';
import type { Phase, Scene, Stage, ToolUnderTest } from './scene.ts';
import { SERVED } from './sling-tool.ts';
import { startStallingServer } from './stalling-server.ts';

const SERVICE = join(import.meta.dirname, 'service-process.ts');

const ENVIRONMENT = {
  PATH: process.env['PATH']!,
  NO_PROXY: '127.0.0.1',
  no_proxy: '127.0.0.1',
  ROWS_SQLITE: 'sqlite://rows.db',
};
/** For a test file, and the services that it starts, that have all their steps forked; the servers end with the process. */
const WARM =
  process.env['ELT_TEST_WARM'] === '1'
    ? createWarmStarts({
        pythonDir: join(ROOT, 'python'),
        environment: () => ENVIRONMENT,
        logger: createLogger('warn'),
      })
    : null;

/** The engine of a service with the real tools. */
export async function openToolEngine(home: string): Promise<TestEngine> {
  const { python, sling } = await testTools();
  return openTestEngine({
    home,
    python,
    sling,
    runners: [dltRunner, slingRunner, dbtRunner, pythonRunner],
    environment: ENVIRONMENT,
    ...(WARM !== null && { warmStarts: WARM }),
    // Nothing runs in it: a step that asks for it waits.
    limits: { pools: { closed: 0 } },
  });
}

export function isHeld({ event }: EventRecord): boolean {
  return event.type === 'other' && event.payload['type'] === 'held';
}

/** One tool's folder, and a service that runs it. */
export class ToolWorld {
  readonly stage: Stage;
  readonly tool: ToolUnderTest;
  engine: TestEngine;

  private constructor(tool: ToolUnderTest, stage: Stage, engine: TestEngine) {
    this.tool = tool;
    this.stage = stage;
    this.engine = engine;
  }

  static async open(tool: ToolUnderTest): Promise<ToolWorld> {
    const home = mkdtempSync(join(tmpdir(), `elt-conformance-${tool.name}-`));
    const server = await startStallingServer(SERVED);
    return new ToolWorld(tool, { home, go: join(home, 'go'), server }, await openToolEngine(home));
  }

  async close(): Promise<void> {
    await this.engine.close();
    await this.stage.server.close();
    rmSync(this.stage.home, { recursive: true, force: true });
  }

  step(scene: Scene, fields: Partial<TestStep> = {}): TestStep {
    return { ...this.tool.step(this.stage, scene), ...fields };
  }

  launch(scene: Scene, fields: Partial<TestStep> = {}): Promise<string> {
    return this.engine.launch([this.step(scene, fields)]);
  }

  async run(scene: Scene, fields: Partial<TestStep> = {}): Promise<string> {
    const runId = await this.launch(scene, fields);
    await this.engine.engine.finished(runId);
    return runId;
  }

  /** Resolves when the first attempt stands still there, by its own word. */
  async stands(runId: string, phase: Phase): Promise<void> {
    const says = this.tool.stands === undefined ? isHeld : this.tool.stands(phase);
    await (says === null ? this.stage.server.stalled() : this.engine.seen(runId, says));
  }

  /** Lets it go on. */
  release(): void {
    writeFileSync(this.stage.go, '');
    this.stage.server.release();
  }

  async state(runId: string): Promise<RunState> {
    return (await this.engine.store.runs.state(runId))!;
  }

  /** Process ids of the attempt in flight. */
  processes(): { readonly pid: number; readonly childPid: number } {
    const steps = join(this.stage.home, 'steps');
    const [name] = readdirSync(steps);
    const text = readFileSync(join(steps, name!, 'supervisor.json'), 'utf8');
    const { pid, child_pid: childPid } = JSON.parse(text) as { pid: number; child_pid: number };
    return { pid, childPid };
  }

  /** The engine again, after a service on this home has ended. */
  async reopen(): Promise<void> {
    this.engine = await openToolEngine(this.stage.home);
  }

  /** A service in a process of its own, on the same home. */
  startService(scene: Scene): ServiceProcess {
    const file = join(this.stage.home, 'run.json');
    writeFileSync(file, JSON.stringify([this.step(scene)]));
    const argv = [SERVICE, this.stage.home, file, this.tool.name];
    return new ServiceProcess(spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] }));
  }
}

export class ServiceProcess {
  readonly process: ChildProcess;
  readonly exited: Promise<unknown>;
  private readonly said: string[] = [];
  private readonly listeners: (() => void)[] = [];

  constructor(child: ChildProcess) {
    this.process = child;
    this.exited = new Promise((resolve) => child.once('close', resolve));
    createInterface({ input: child.stdout! }).on('line', (line) => {
      this.said.push(line);
      for (const listener of this.listeners) listener();
    });
  }

  /** Resolves with the rest of the first line that begins so. */
  says(word: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const look = (): void => {
      const line = this.said.find((one) => one.startsWith(word));
      if (line !== undefined) resolve(line.slice(word.length).trim());
    };
    this.listeners.push(look);
    look();
    void this.exited.then(() => reject(new Error(`the service ended without "${word}"`)));
    return promise;
  }

  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.exited;
  }
}

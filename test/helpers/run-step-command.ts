import { spawn } from 'node:child_process';
import { mkdirSync, watch } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { PipelineConfig, Tool } from '../../src/discovery/pipeline-config.ts';
import type { StepSpec } from '../../src/plan/step-spec.ts';
import type { Runner } from '../../src/runners/runner.ts';
import { pipelineConfig } from './pipeline-config.ts';
import { ROOT, testTools } from './tool-environments.ts';

export interface StepEventLine {
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface StepOutcome {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly events: readonly StepEventLine[];
  readonly stdout: Buffer;
  readonly stderr: string;
  /** The last `end` event. */
  readonly end: StepEventLine | undefined;
  /** Metadata of the last materialization by asset key. */
  readonly materialized: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface RunOptions {
  /** Over the base environment; a function of the events file where that is needed. */
  readonly env?:
    | Readonly<Record<string, string>>
    | ((eventsFile: string) => Readonly<Record<string, string>>);
  /** Called for each new event line; may send a signal to the step's process group. */
  readonly onEvent?: (event: StepEventLine, kill: (signal: NodeJS.Signals) => void) => void;
  /** Instead of the default environment's. */
  readonly python?: string;
  readonly onOutput?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** A pipeline folder on disk with what outlives its steps: working directory and state. */
export class StepFolder {
  readonly root: string;
  readonly tree: string;
  readonly work: string;
  readonly state: string;
  private steps = 0;

  private constructor(root: string) {
    this.root = root;
    this.tree = join(root, 'tree');
    this.work = join(root, 'work');
    this.state = join(root, 'state', 'elt_pipelines', 'shop');
    for (const folder of [this.tree, this.work, this.state]) mkdirSync(folder, { recursive: true });
  }

  /** @param source a folder to copy, or files by name */
  static async create(source: string | Readonly<Record<string, string>>): Promise<StepFolder> {
    const folder = new StepFolder(await mkdtemp(join(tmpdir(), 'elt-step-')));
    if (typeof source === 'string') await cp(source, folder.tree, { recursive: true });
    else for (const [name, text] of Object.entries(source)) await folder.write(name, text);
    return folder;
  }

  async write(name: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.tree, name)), { recursive: true });
    await writeFile(join(this.tree, name), text);
  }

  /** Runs one attempt as the engine does: links laid in, request files 0600, a process group of its own. */
  async run(runner: Runner, spec: StepSpec, options: RunOptions = {}): Promise<StepOutcome> {
    const tools = await testTools();
    const stepDir = join(this.root, `step-${++this.steps}`);
    await mkdir(stepDir, { mode: 0o700 });
    await this.layLinks();
    const eventsFile = join(stepDir, 'events.jsonl');
    await writeFile(eventsFile, '', { mode: 0o600 });
    const base: Record<string, string> = {
      PATH: process.env.PATH ?? '',
      HOME: join(this.root, 'home'),
      LANG: 'C.UTF-8',
      ELT_RUN_ID: spec.ref.runId,
      ELT_STEP_KEY: spec.ref.stepKey,
      ELT_PIPELINE: spec.pipeline,
      ELT_ATTEMPT: String(spec.ref.attempt),
      ELT_EVENTS_FILE: eventsFile,
      ...(spec.partitions.kind === 'key' ? { ELT_PARTITION_KEY: spec.partitions.key } : {}),
      ...Object.fromEntries(
        Object.entries(spec.partitionDimensions).map(([name, key]) => [
          `ELT_PARTITION_KEY_${name.toUpperCase()}`,
          key,
        ]),
      ),
      ...(typeof options.env === 'function' ? options.env(eventsFile) : options.env),
    };
    const command = await runner.command(
      spec,
      {
        stepDir,
        workDir: this.work,
        stateDir: this.state,
        treeDir: this.tree,
        python: options.python ?? tools.python,
        sling: tools.sling,
        runnerPackage: join(ROOT, 'python'),
        eventsFile,
      },
      base,
    );
    for (const { name, content } of command.files)
      await writeFile(join(stepDir, name), content, { mode: 0o600 });
    const [program, ...args] = command.argv;
    const child = spawn(program!, args, {
      cwd: this.work,
      env: { ...base, ...command.env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const kill = (signal: NodeJS.Signals): void => void process.kill(-child.pid!, signal);
    const stdout: Buffer[] = [];
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout.push(chunk);
      options.onOutput?.(chunk.toString(), kill);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    let seen = 0;
    const { onEvent } = options;
    const watcher =
      onEvent === undefined
        ? null
        : watch(eventsFile, () => {
            void readEvents(eventsFile).then((events) => {
              while (seen < events.length) onEvent(events[seen++]!, kill);
            });
          });
    const [exitCode, signal] = await new Promise<[number | null, NodeJS.Signals | null]>(
      (resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code, by) => resolve([code, by]));
      },
    );
    watcher?.close();
    const events = await readEvents(eventsFile);
    const materialized: Record<string, Readonly<Record<string, unknown>>> = {};
    for (const event of events) {
      if (event.type !== 'materialization') continue;
      materialized[event.asset_key as string] = event.metadata as Record<string, unknown>;
    }
    return {
      exitCode,
      signal,
      events,
      stdout: Buffer.concat(stdout),
      stderr,
      end: events.findLast((event) => event.type === 'end'),
      materialized,
    };
  }

  private async layLinks(): Promise<void> {
    for (const entry of await readdir(this.tree, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const name = join(entry.parentPath, entry.name).slice(this.tree.length + 1);
      await mkdir(dirname(join(this.work, name)), { recursive: true });
      await rm(join(this.work, name), { force: true });
      await symlink(join(this.tree, name), join(this.work, name));
    }
  }
}

async function readEvents(file: string): Promise<StepEventLine[]> {
  const text = await readFile(file, 'utf8');
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as StepEventLine);
}

/** A step's spec for tests: what is not given has the plainest value. */
export function stepSpec(
  tool: Tool,
  config: Partial<PipelineConfig>,
  fields: Partial<StepSpec> & { readonly runId?: string; readonly attempt?: number } = {},
): StepSpec {
  const { runId = 'run-1', attempt = 1, ...rest } = fields;
  const name = config.name ?? 'shop';
  const code = {
    component: 'elt_pipelines',
    commit: 'c'.repeat(40),
    dir: `pipelines/${tool}/${name}`,
    treeId: 't'.repeat(40),
    contentDigest: 'sha256:0',
  };
  return {
    v: 1,
    ref: {
      runId,
      stepKey: `${tool}_${name}`,
      attempt,
      queue: 'default',
      timeoutMs: null,
      leaseTtlMs: 600_000,
    },
    component: 'elt_pipelines',
    pipeline: name,
    code,
    tool,
    config: pipelineConfig(tool, name, { dir: code.dir, kinds: [], ...config }),
    assets: [
      {
        key: `${tool}_${name}`,
        partitions: rest.partitions ?? { kind: 'none' },
        blockingChecks: [],
        codeVersion: '1',
      },
    ],
    partitions: { kind: 'none' },
    partitionKeys: [],
    partitionDimensions: {},
    window: null,
    timezone: 'UTC',
    python: '',
    lockDigest: '',
    volume: null,
    pools: [],
    fullRefresh: false,
    runConfig: {},
    retriesSpent: attempt - 1,
    timeoutMs: null,
    graceMs: 30_000,
    ...rest,
  };
}

/** Fields of a spec for one day's partition. */
export function dayPartition(key: string): Pick<StepSpec, 'partitions' | 'partitionKeys' | 'window'> {
  const start = Date.parse(`${key}T00:00:00Z`);
  return {
    partitions: { kind: 'key', key },
    partitionKeys: [key],
    window: { start, end: start + 86_400_000 },
  };
}

import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createWarmStarts,
  type WarmLimits,
  type WarmStarts,
} from '../../src/engine/local/warm/warm-starts.ts';
import { createLogger } from '../../src/lib/log.ts';
import { pythonRunner } from '../../src/runners/python.ts';
import type { Runner } from '../../src/runners/runner.ts';

const PYTHON = join(import.meta.dirname, '..', '..', 'python');

/** In place of the runner of dlt: runs a script as `python main.py` does, in a process that was forked for it. */
const SCRIPT_RUNNER = `
import os, runpy, sys, traceback
def main(request):
    sys.argv = request["argv"]
    sys.path.insert(0, os.getcwd())
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except Exception as error:
        trace = error.__traceback__
        while trace is not None and "main.py" not in trace.tb_frame.f_code.co_filename:
            trace = trace.tb_next
        traceback.print_exception(type(error), error, trace)
        return 1
    return 0
`;

export interface WarmScripts {
  /** Our Python package with the scripted runner in it. */
  readonly pythonDir: string;
  readonly warmStarts: WarmStarts;
  /** For every tool of the scripted steps. */
  readonly runners: readonly Runner[];
  remove(): Promise<void>;
}

/** Our Python package in a folder of its own, with the scripted runner in it. */
export function warmPackage(preload = ''): string {
  const pythonDir = mkdtempSync(join(tmpdir(), 'elt-warm-'));
  for (const name of readdirSync(PYTHON)) {
    if (name !== 'elt_runner') symlinkSync(join(PYTHON, name), join(pythonDir, name));
  }
  cpSync(join(PYTHON, 'elt_runner'), join(pythonDir, 'elt_runner'), {
    recursive: true,
    filter: (path) => !path.includes('__pycache__'),
  });
  writeFileSync(join(pythonDir, 'elt_runner/dlt_runner.py'), `${preload}\n${SCRIPT_RUNNER}`);
  return pythonDir;
}

/** Fork servers for scripted steps, on any interpreter without packages: all of the product but the tool itself. */
export function warmScripts(
  limits: Partial<WarmLimits> = {},
  options: { readonly preload?: string; readonly availableMemory?: () => number } = {},
  pythonDir = warmPackage(options.preload),
): WarmScripts {
  const warmStarts = createWarmStarts({
    pythonDir,
    environment: () => ({ PATH: process.env['PATH']! }),
    logger: createLogger('silent'),
    limits,
    ...(options.availableMemory === undefined ? {} : { availableMemory: options.availableMemory }),
  });
  const runner = (tool: string): Runner => ({
    ...pythonRunner,
    tool,
    async command(spec, places, env) {
      const command = await pythonRunner.command(spec, places, env);
      const [program, ...argv] = command.argv;
      if (program !== places.python) return command;
      return {
        ...command,
        argv: [
          program,
          join(places.runnerPackage, 'elt_runner'),
          'dlt',
          join(places.stepDir, 'request.json'),
        ],
        files: [{ name: 'request.json', content: JSON.stringify({ argv }) }],
        warm: 'dlt',
      };
    },
  });
  return {
    pythonDir,
    warmStarts,
    runners: ['python', 'dlt'].map(runner),
    async remove() {
      await warmStarts.close();
      rmSync(pythonDir, { recursive: true, force: true });
    },
  };
}

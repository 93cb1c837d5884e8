import { fileURLToPath } from 'node:url';

/** What every command has, whatever it does. */
export interface CliContext {
  /** Data: what was asked for. One JSON document with `--json`. */
  out(text: string): void;
  /** Everything else: progress, notes, errors. */
  note(text: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Checkout of the product. */
  readonly root: string;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly debug: boolean;
  readonly color: boolean;
  /** Colours of the notes: stderr may be a terminal when stdout is none. */
  readonly noteColor: boolean;
  /** Columns of the terminal; null: no terminal, nothing is cut. */
  readonly width: number | null;
  /** Whether a person watches the progress. */
  readonly interactive: boolean;
  readonly options: GlobalOptions;
}

export interface GlobalOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly debug?: boolean;
  readonly color?: boolean;
  readonly url?: string;
  readonly home?: string;
}

export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

export function createContext(options: GlobalOptions): CliContext {
  const { env, stdout, stderr } = process;
  const json = options.json === true;
  const colorOf = (stream: { isTTY?: boolean }): boolean =>
    options.color ?? wantsColor(stream.isTTY === true, env);
  return {
    out: (text) => void stdout.write(`${text}\n`),
    note: (text) => {
      if (options.quiet !== true) stderr.write(`${text}\n`);
    },
    env,
    cwd: process.cwd(),
    root: ROOT,
    json,
    quiet: options.quiet === true,
    debug: options.debug === true,
    color: !json && colorOf(stdout),
    noteColor: colorOf(stderr),
    width: stdout.isTTY ? stdout.columns : null,
    interactive: stderr.isTTY === true && options.quiet !== true,
    options,
  };
}

/** https://no-color.org; `FORCE_COLOR` wins over everything but `--no-color`. */
export function wantsColor(isTerminal: boolean, env: CliContext['env']): boolean {
  if (env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '' && env['FORCE_COLOR'] !== '0')
    return true;
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false;
  return isTerminal && env['TERM'] !== 'dumb';
}

/** What the end of a process's stderr tells about why it failed. */
export interface ErrorText {
  /** The last line that says something: `KeyError: 'amount'`. */
  readonly message: string;
  readonly stack?: string;
  /** Deepest frame in the user's own folder, relative to it. */
  readonly file?: string;
  readonly line?: number;
  /** Another process holds the lock of a database file: DuckDB's and SQLite's words for it. */
  readonly isBusy: boolean;
  /** The end of both outputs, where it is asked for. */
  readonly tail?: string;
}

const TRACEBACK = 'Traceback (most recent call last):';
const FRAME = /^\s*File "(.+)", line (\d+)/;
/** `os.environ[…]` raises from within the module `os`, whose path differs from system to system. */
const OS_ENVIRON = /File "(?:<frozen os>|[^"]*\/os\.py)", line \d+, in __getitem__/;
const BUSY = /Could not set lock on file|database (?:table )?is locked|\bSQLITE_BUSY\b/;
const LONGEST_MESSAGE = 2_000;
const LONGEST_STACK = 20_000;

/**
 * Reads the last Python traceback of a text, or its last line if there is none. Only words are taken from here, never
 * whether the process succeeded.
 * @param folders absolute paths that hold the user's own files: working directory and tree
 */
export function parseErrorText(text: string, folders: readonly string[]): ErrorText | null {
  const trimmed = text.trimEnd();
  if (trimmed === '') return null;
  const start = trimmed.lastIndexOf(TRACEBACK);
  const stack = start === -1 ? null : trimmed.slice(start);
  const message = (stack === null ? trimmed : raised(stack))
    .split('\n')
    .findLast((line) => line.trim() !== '')!;
  const frame = stack === null ? null : userFrame(stack, folders);
  return {
    message: `${message.trim().slice(0, LONGEST_MESSAGE)}${adviceOf(message.trim(), stack)}`,
    ...(stack === null ? {} : { stack: stack.slice(0, LONGEST_STACK) }),
    ...frame,
    isBusy: BUSY.test(stack ?? trimmed),
  };
}

/** What to do about the two mistakes that everybody makes: a variable that is not there, a package that is not. */
function adviceOf(message: string, stack: string | null): string {
  const name = /^KeyError: '([A-Za-z_]\w*)'$/.exec(message)?.[1];
  if (name !== undefined && stack !== null && OS_ENVIRON.test(stack)) {
    return `: the step has no such variable; add the line ${name}=<value> to .env, and ${name}: "\${${name}}" to env: in dagster.yaml`;
  }
  return message.startsWith("ModuleNotFoundError: No module named '")
    ? ': add its package to requirements.txt of the folder'
    : '';
}

/** The line of the exception itself: the first after the frames that is not indented. */
function raised(stack: string): string {
  const lines = stack.split('\n').slice(1);
  return lines.find((line) => line !== '' && !/^\s/.test(line)) ?? stack;
}

function userFrame(stack: string, folders: readonly string[]): { file: string; line: number } | null {
  let found: { file: string; line: number } | null = null;
  for (const text of stack.split('\n')) {
    const match = FRAME.exec(text);
    if (match === null) continue;
    const folder = folders.find((candidate) => match[1]!.startsWith(`${candidate}/`));
    const file = folder === undefined ? match[1]! : match[1]!.slice(folder.length + 1);
    const isUsers =
      folder !== undefined ? !file.includes('site-packages') : !file.startsWith('/') && !file.startsWith('<');
    if (isUsers) found = { file, line: Number(match[2]) };
  }
  return found;
}

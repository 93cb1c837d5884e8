import type { Diagnostic } from '../lib/diagnostics.ts';
import { ERRORS, type ErrorCode, EXIT, type ExitCode, isErrorCode, OperationalError } from '../lib/errors.ts';

/** What ends a command other than well: a code of the catalogue, what happened, what to do. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code: ErrorCode;
  readonly hint: string | null;
  readonly exit: ExitCode;
  readonly diagnostics: readonly Pick<
    Diagnostic,
    'code' | 'severity' | 'message' | 'file' | 'line' | 'column' | 'hint'
  >[];

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      hint?: string | null;
      exit?: ExitCode;
      diagnostics?: CliError['diagnostics'];
      cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint ?? null;
    this.exit = options.exit ?? ERRORS[code].exit;
    this.diagnostics = options.diagnostics ?? [];
  }
}

/** Any error → what the CLI says. Only a defect of ours keeps its stack, for `--debug`. */
export function cliErrorOf(error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (error instanceof OperationalError) {
    return new CliError(error.code, error.message, { hint: error.hint ?? null, cause: error });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new CliError('INTERNAL', message, { hint: 'this is a defect: --debug shows where', cause: error });
}

/** A problem document of the API → the same error on the command line. */
export function errorOfProblem(status: number, body: unknown): CliError {
  const problem = (typeof body === 'object' && body !== null ? body : {}) as Readonly<
    Record<string, unknown>
  >;
  const code = typeof problem['code'] === 'string' && isErrorCode(problem['code']) ? problem['code'] : null;
  const detail = typeof problem['detail'] === 'string' ? problem['detail'] : `the service answered ${status}`;
  const hint = typeof problem['hint'] === 'string' ? problem['hint'] : null;
  if (code === null) return new CliError('SERVICE_UNREACHABLE', detail, { hint, exit: EXIT.failed });
  return new CliError(code, detail, { hint });
}

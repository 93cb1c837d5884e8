import { formatDiagnostic } from '../lib/diagnostics.ts';
import { type CliError, cliErrorOf } from './cli-error.ts';
import { wantsColor } from './context.ts';
import { painter, printable } from './render.ts';

/** Says what went wrong and what to do, on stderr; with `--json` also as the one document on stdout. */
export function reportError(thrown: unknown, options: { json: boolean; debug: boolean }): number {
  const error = cliErrorOf(thrown);
  if (options.json) process.stdout.write(`${JSON.stringify({ error: documentOf(error) }, null, 2)}\n`);
  const paint = painter(wantsColor(process.stderr.isTTY, process.env));
  const lines = [
    `${paint('red', `error ${error.code}`)} ${printable(error.message)}`,
    ...error.diagnostics.map((diagnostic) => `  ${printable(formatDiagnostic(diagnostic))}`),
    ...(error.hint === null ? [] : [`  ${printable(error.hint)}`]),
  ];
  if (options.debug) lines.push(stackOf(error));
  process.stderr.write(`${lines.join('\n')}\n`);
  return error.exit;
}

function documentOf({ code, message, hint, diagnostics }: CliError): object {
  return { code, message, hint, diagnostics };
}

function stackOf(error: CliError): string {
  const cause = error.cause instanceof Error ? error.cause : error;
  return cause.stack ?? String(cause);
}

import { resolve } from 'node:path';
import { type Diagnostic, formatDiagnostic } from '../../lib/diagnostics.ts';
import { EXIT } from '../../lib/errors.ts';
import type { CliContext } from '../context.ts';
import { duration, plural } from '../format.ts';
import { printJson } from '../output.ts';
import { painter } from '../render.ts';

export interface ValidateOptions {
  readonly format?: 'text' | 'github';
  readonly pipelinesDir?: string;
}

/** Checks a working copy: no Git, no service, nothing of it is run. 3 when there are errors. */
export async function validate(
  context: CliContext,
  path: string | undefined,
  options: ValidateOptions,
): Promise<number> {
  const started = performance.now();
  const { validateWorkingCopy } = await import('../../component/validate.ts');
  const result = await validateWorkingCopy({
    dir: resolve(context.cwd, path ?? '.'),
    pipelinesDirectory: options.pipelinesDir ?? context.env['ELT_PIPELINES_DIR'] ?? 'pipelines',
    environment: {
      names: new Set(Object.keys(context.env)),
      passEnv: listOf(context.env['ELT_PASS_ENV']),
      alertEnv: listOf(context.env['ELT_ALERT_ENV']),
    },
  });
  const { diagnostics, definitions, pending } = result;
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error').length;
  const warnings = diagnostics.filter((diagnostic) => diagnostic.severity === 'warning').length;
  const pipelines = definitions.pipelines.size;
  const assets = [...definitions.assets.nodes.values()].filter(
    (node) => node.kind === 'materializable',
  ).length;
  if (context.json) {
    const summary = { pipelines, assets, schedules: definitions.schedules.size, errors, warnings, pending };
    printJson(context, { ...summary, diagnostics });
  } else {
    for (const diagnostic of diagnostics) {
      context.out(options.format === 'github' ? annotation(diagnostic) : colored(context, diagnostic));
    }
    const seconds = (performance.now() - started) / 1000;
    context.note(
      `${plural(pipelines, 'pipeline')}, ${plural(assets, 'asset')}: ${plural(errors, 'error')}, ${plural(warnings, 'warning')} in ${duration(seconds)}`,
    );
    if (pending.length > 0) {
      context.note(`their assets are known only after their code ran once: ${pending.join(', ')}`);
    }
  }
  return errors > 0 ? EXIT.invalidConfiguration : EXIT.ok;
}

function colored(context: CliContext, diagnostic: Diagnostic): string {
  const paint = painter(context.color);
  const { severity } = diagnostic;
  const color = severity === 'error' ? 'red' : severity === 'warning' ? 'yellow' : 'dim';
  return formatDiagnostic(diagnostic).replace(`${severity} ${diagnostic.code}`, (text) => paint(color, text));
}

/** A workflow command of GitHub Actions, shown at the line of a pull request. */
function annotation(diagnostic: Diagnostic): string {
  const { severity, file, line, column, code, message, hint } = diagnostic;
  const kind = severity === 'info' ? 'notice' : severity;
  const place = [
    `file=${property(file)}`,
    line > 0 ? `line=${line}` : '',
    column > 0 ? `col=${column}` : '',
    `title=${property(code)}`,
  ].filter((part) => part !== '');
  return `::${kind} ${place.join(',')}::${data(hint === undefined ? message : `${message} (${hint})`)}`;
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

function listOf(names: string | undefined): readonly string[] {
  return (names ?? '').split(/[\s,]+/).filter(Boolean);
}

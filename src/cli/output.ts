import type { CliContext } from './context.ts';

/** Prints a list: one JSON document, or the rendered text; an empty list says so on stderr. */
export function showItems<T>(
  context: CliContext,
  items: readonly T[],
  render: (items: readonly T[]) => string,
): number {
  if (context.json) printJson(context, { items });
  else if (items.length === 0) context.note('nothing to show');
  else context.out(render(items));
  return 0;
}

/** The one document of a command with `--json`. */
export function printJson(context: CliContext, document: unknown): void {
  context.out(JSON.stringify(document, null, 2));
}

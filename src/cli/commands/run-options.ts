import { CliError } from '../cli-error.ts';

/** `--config`. @throws `REQUEST_INVALID` */
export function configOf(text: string): Record<string, unknown> {
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // Said below, like any other text that is no JSON object.
  }
  throw new CliError('REQUEST_INVALID', '--config is not a JSON object', {
    hint: `--config '{"limit": 10}'`,
  });
}

/** `--tag`, each `name=value`. @throws `REQUEST_INVALID` */
export function tagsOf(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const equals = text.indexOf('=');
      if (equals <= 0) throw new CliError('REQUEST_INVALID', `--tag "${text}" is not of the form name=value`);
      return [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
}

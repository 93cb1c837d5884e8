export interface InterpolationProblem {
  /** Offset of `${` in the text. */
  readonly offset: number;
  /** Name of a variable that is not set; null: the reference itself cannot be read. */
  readonly variable: string | null;
  readonly text: string;
}

export interface Interpolation {
  readonly value: string;
  /** Names that the text refers to, those with a default too. */
  readonly variables: readonly string[];
  readonly problems: readonly InterpolationProblem[];
}

const REFERENCE = /\$\$\{|\$\{([^}]*)(\}?)/g;
const BODY = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([\s\S]*))?$/;

/**
 * Replaces `${VAR}` and `${VAR:-default}` (the default also stands for an empty value, as in sh); `$${` is a plain `${`.
 * @param lookup undefined: not set. All problems of the text are found at once.
 */
export function interpolate(text: string, lookup: (name: string) => string | undefined): Interpolation {
  const variables: string[] = [];
  const problems: InterpolationProblem[] = [];
  const value = text.replaceAll(
    REFERENCE,
    (whole: string, body: string | undefined, close: string, offset: number) => {
      if (body === undefined) return '${';
      const match = close === '' ? null : BODY.exec(body);
      if (match === null) {
        problems.push({ offset, variable: null, text: whole });
        return whole;
      }
      const [, name = '', fallback] = match;
      variables.push(name);
      const found = lookup(name);
      if (found !== undefined && (found !== '' || fallback === undefined)) return found;
      if (fallback !== undefined) return fallback;
      problems.push({ offset, variable: name, text: whole });
      return '';
    },
  );
  return { value, variables, problems };
}

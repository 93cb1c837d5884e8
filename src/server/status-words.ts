import { OperationalError } from '../lib/errors.ts';

/** `QUEUED,failure` as statuses. @throws `REQUEST_INVALID` for a word that is no status */
export function statusWords<T extends string>(text: string, known: readonly T[], what: string): readonly T[] {
  return text.split(',').map((word) => {
    const found = known.find((one) => one === word.trim().toUpperCase());
    if (found !== undefined) return found;
    throw new OperationalError('REQUEST_INVALID', `"${word}" is no status of ${what}`, {
      hint: `use ${known.join(', ')}`,
    });
  });
}

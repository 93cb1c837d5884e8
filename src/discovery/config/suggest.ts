import { distance } from 'fastest-levenshtein';

/** How far a misspelt word may be from the one that was meant (interfaces.md §3). */
const NEAR = 2;

/** The known word within edit distance 2 of what was written, case and dashes aside; null: none is near. */
export function nearest(written: string, known: Iterable<string>): string | null {
  const normalised = normalise(written);
  let best: string | null = null;
  let bestDistance = NEAR + 1;
  for (const word of known) {
    if (Math.abs(word.length - normalised.length) > NEAR) continue;
    const d = Math.min(distance(normalised, normalise(word)), distance(written, word));
    if (d < bestDistance) [best, bestDistance] = [word, d];
  }
  return best;
}

export function didYouMean(written: string, known: Iterable<string>): string | undefined {
  const near = nearest(written, known);
  return near === null ? undefined : `did you mean "${near}"?`;
}

function normalise(word: string): string {
  return word.toLowerCase().replaceAll('-', '_');
}

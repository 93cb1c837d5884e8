/**
 * How well a text matches what was typed, higher is better; null: not at all. All words must occur; a word that
 * occurs nowhere as it stands may be spread over the text in order (`isue` finds `issues`).
 */
export function fuzzyScore(query: string, text: string): number | null {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const target = text.toLowerCase();
  let score = 0;
  for (const word of words) {
    const at = target.indexOf(word);
    if (at !== -1) {
      const atStart = at === 0 || /[\W_]/.test(target[at - 1] ?? '');
      score += 100 + (atStart ? 40 : 0) - Math.min(30, at) - Math.min(20, target.length - word.length);
      continue;
    }
    const spread = subsequence(word, target);
    if (spread === null) return null;
    score += 20 - Math.min(19, spread);
  }
  return score;
}

/** Letters skipped within the shortest stretch that has all in order; null if there is none, or it skips too many. */
function subsequence(word: string, target: string): number | null {
  if (word.length < 3) return null;
  let fewest: number | null = null;
  for (
    let start = target.indexOf(word.charAt(0));
    start !== -1;
    start = target.indexOf(word.charAt(0), start + 1)
  ) {
    let at = start;
    for (const letter of word.slice(1)) {
      at = target.indexOf(letter, at + 1);
      // A later start cannot find what is not there.
      if (at === -1) return fewest;
    }
    const skipped = at - start + 1 - word.length;
    if (skipped <= word.length && (fewest === null || skipped < fewest)) fewest = skipped;
  }
  return fewest;
}

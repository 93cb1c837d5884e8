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

/** Letters skipped within the shortest stretch found from the left; null if not all letters occur in order. */
function subsequence(word: string, target: string): number | null {
  if (word.length < 3) return null;
  let at = -1;
  let first = -1;
  for (const letter of word) {
    at = target.indexOf(letter, at + 1);
    if (at === -1) return null;
    if (first === -1) first = at;
  }
  const skipped = at - first + 1 - word.length;
  return skipped > word.length ? null : skipped;
}

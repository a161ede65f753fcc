/** `; did you mean "loss"?` for a word that is close to one of those that would do, else nothing. */
export function didYouMean(given: string, words: Iterable<string>): string {
  let best: string | undefined;
  let distance = Math.max(2, Math.floor(given.length / 3)) + 1;
  for (const word of words) {
    const d = editDistance(given.toLowerCase(), word.toLowerCase(), distance);
    if (d < distance) [best, distance] = [word, d];
  }
  return best === undefined ? '' : `; did you mean "${best}"?`;
}

/** Insertions, deletions and replacements from one word to the other (Levenshtein), or `limit` where there are at least that many. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(replaced, row[j]! + 1, next[j - 1]! + 1);
    }
    row = next;
  }
  return Math.min(row[b.length]!, limit);
}

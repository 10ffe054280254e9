function plain(word: string): string {
  return word.toLowerCase().replaceAll(/[-_\s]/g, '');
}

/** Levenshtein distance: the fewest letters to put in, take out or change. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The word that was probably meant, if one of them is close; letter case, `-` and `_` do not count. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, apart: distance(plain(word), plain(candidate)) }))
    .toSorted((a, b) => a.apart - b.apart);
  const [best] = ranked;
  if (best === undefined) return undefined;
  const longer = Math.max(word.length, best.candidate.length);
  return best.apart <= Math.max(1, Math.floor(longer / 2.5)) ? best.candidate : undefined;
}

/** Says that `written` is none of `names`, and which was meant, or else which there are. */
export function unknownName(written: string, names: readonly string[]): string {
  const meant = nearest(written, names);
  return `${written}: is unknown; ${meant === undefined ? `there are ${names.join(', ')}` : `did you mean ${meant}?`}`;
}

/**
 * The candidate that differs least from `text`, for "did you mean"; undefined when all differ by more than a third of
 * the text, for then a guess misleads. Time: candidates x length of both texts.
 */
export function nearest(text: string, candidates: readonly string[]): string | undefined {
  const tolerance = Math.max(1, Math.floor(text.length / 3));
  let best: string | undefined;
  let least = tolerance + 1;
  for (const candidate of candidates) {
    const distance = editDistance(text, candidate);
    if (distance >= least) continue;
    best = candidate;
    least = distance;
  }
  return best;
}

/** Levenshtein: the fewest letters to insert, delete or replace. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 0; i < from.length; i++) {
    const next = [i + 1];
    for (let column = 1; column <= to.length; column++) {
      const replace = at(row, column - 1) + (from[i] === to[column - 1] ? 0 : 1);
      next.push(Math.min(replace, at(row, column) + 1, at(next, column - 1) + 1));
    }
    row = next;
  }
  return at(row, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}

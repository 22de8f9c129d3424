/** Characters of a user's text that a sentence repeats. An annotation may have 256 KiB, and each waiting pod a sentence. */
const longest = 80;

/** A value of a manifest as a sentence shows it: as JSON, the end of a long one left out. */
export function quoted(value: unknown): string {
  const text = (JSON.stringify(value) as string | undefined) ?? 'missing';
  if (text.length <= longest) return text;
  // Whole characters, so that no half of one is left.
  const shown = Array.from(text.slice(0, longest)).slice(0, -1).join('');
  return `${shown}… (${text.length} characters)`;
}

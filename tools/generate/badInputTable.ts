import { badChanges, badInput, type BadInput } from '../../test/api/badInput.ts';
import { code, table } from './markdown.ts';
import { markdownPage } from './yaml.ts';

/** The mistakes that README.md shows; the reference page has all. */
const shown: ReadonlySet<string> = new Set([
  'a weight of zero',
  'a weight with four decimals',
  'two classes of one name',
  'a selector that takes every node',
  'a floor in percent',
  'an unknown placement',
  'a half-life of zero',
  'an empty pool name',
  'a quota that is its own parent',
  'a class limit below its guarantee',
  'a period that ends before it starts',
  'a default walltime above the longest',
  'a supplement of no hours',
  'an adjustment whose hours change',
  'a matched fraction above 1',
]);

/** The rows for README.md: mistake and answer. */
export function badInputTable(): string {
  const rows = [...badInput, ...badChanges].filter(({ mistake }) => shown.has(mistake));
  if (rows.length !== shown.size) throw new Error('README.md is to show a mistake that test/api does not have');
  return table(
    ['what is wrong', 'what the API server answers'],
    rows.map(({ mistake, answer }) => [mistake, code(answer)]),
  );
}

/** docs/reference/bad-input.md: every mistake that the test tries, and the answer it got. */
export function badInputPage(): string {
  const kinds = [...new Set(badInput.map(({ kind }) => kind))];
  return markdownPage([
    '# What bad input gets',
    '',
    'Each line is a test: the mistake is put into a manifest that is otherwise good, and a real API server answers.',
    ...kinds.flatMap((kind) => ['', `## ${kind}`, '', fullTable(badInput.filter((each) => each.kind === kind))]),
    '',
    '## Changing a ResearchQuota',
    '',
    fullTable(badChanges),
  ]);
}

function fullTable(rows: readonly BadInput[]): string {
  return table(
    ['what is wrong', 'written', 'answer'],
    rows.map(({ mistake, field, value, answer }) => [
      mistake,
      value === undefined ? `no ${code(field)}` : code(`${field}: ${JSON.stringify(value)}`),
      code(answer),
    ]),
  );
}

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  conditionReasons,
  conditions,
  waitReasons,
  type ConditionDoc,
  type Kind,
} from '../../src/api/v1alpha1/index.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/troubleshooting.md'), 'utf8');

/** Titles of the third level under a title of the second, in the order of the page. */
function tokensUnder(title: string): readonly string[] {
  const from = page.indexOf(`\n## ${title}\n`);
  assert.ok(from >= 0, `docs/troubleshooting.md has no section ${title}`);
  const to = page.indexOf('\n## ', from + 1);
  return [...page.slice(from, to < 0 ? undefined : to).matchAll(/^### (.*)$/gm)].map(([, token = '']) => token);
}

/** Reasons with which the conditions of a kind are not healthy. */
function unhealthy(kind: Kind): readonly string[] {
  const docs: readonly ConditionDoc[] = Object.values(conditions[kind]);
  return docs.flatMap((doc) => (doc.healthy === 'True' ? doc.false : doc.true));
}

const kinds = Object.keys(conditions) as readonly Kind[];

describe('docs/troubleshooting.md', () => {
  it('has a section for each reason for which a workload waits, in the order of the checks', () => {
    assert.deepEqual(tokensUnder('Why a workload waits'), Object.keys(waitReasons));
  });

  it('has one section for each reason with which a condition is not healthy', () => {
    const told = [...Object.keys(waitReasons), ...kinds.flatMap(tokensUnder)];
    assert.deepEqual(
      kinds.flatMap(unhealthy).filter((reason) => !told.includes(reason)),
      [],
    );
    assert.deepEqual(
      told.filter((token, index) => told.indexOf(token) !== index),
      [],
      'two sections of one name: links reach the first only',
    );
  });

  it('has no section for a reason that does not exist', () => {
    const known = new Set(Object.keys(conditionReasons));
    assert.deepEqual(
      kinds.flatMap(tokensUnder).filter((token) => !known.has(token)),
      [],
    );
  });

  it('says in every section who can act', () => {
    const sections = page.split(/^### /m).slice(1);
    const silent = sections
      .filter((section) => !section.includes('- **Who:** '))
      .map((section) => section.split('\n')[0]);
    assert.deepEqual(silent, []);
  });
});

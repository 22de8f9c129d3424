import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { code, table } from './markdown.ts';
import { filled } from './readme.ts';

describe('a table inside README.md', () => {
  it('replaces what stands between its markers and nothing else', () => {
    const page = filled('before\n<!-- t:begin -->\nold\n<!-- t:end -->\nafter', 't', 'new');
    assert.match(page, /^before\n<!-- t:begin -->\n.*\n\nnew\n\n.*\n<!-- t:end -->\nafter$/);
  });

  it('is the same when written twice', () => {
    const once = filled('<!-- t:begin --><!-- t:end -->', 't', 'new');
    assert.equal(filled(once, 't', 'new'), once);
  });

  it('is not forced on a page without its markers', () => assert.equal(filled('text', 't', 'new'), 'text'));

  it('refuses a marker without its partner', () => {
    assert.throws(() => filled('<!-- t:begin -->', 't', 'new'), /must both stand there/);
  });
});

describe('a Markdown table', () => {
  it('keeps bars and line ends inside their cell', () => {
    assert.equal(table(['a'], [['x | y\nz']]), '| a |\n| --- |\n| x \\| y z |');
  });

  it('shows text with backticks as code', () => assert.equal(code('a`b'), '`` a`b ``'));
});

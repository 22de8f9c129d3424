import assert from 'node:assert/strict';
import { it } from 'node:test';
import { quoted } from './quoted.ts';

it('a short text is shown as JSON', () => assert.equal(quoted('a "b"'), String.raw`"a \"b\""`));

it('of a long text the beginning is shown, in whole characters, and how long it is', () => {
  for (const text of ['x'.repeat(262_144), '😀'.repeat(1000), `y${'😀'.repeat(1000)}`]) {
    const shown = quoted(text);
    assert.ok(shown.length < 120 && shown.isWellFormed(), shown);
    assert.match(shown, /… \(\d+ characters\)$/);
  }
});

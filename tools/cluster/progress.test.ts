import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { printProgress, type BuildProgress } from './progress.ts';

const building = (name: string, seconds: number, packages = 0): BuildProgress => ({
  kind: 'building',
  name,
  number: 1,
  of: 2,
  seconds,
  packages,
  downloading: packages === 0,
});

/** What is written to a stream by a run of events. */
function written(isTTY: boolean, events: readonly BuildProgress[]): string {
  const chunks: string[] = [];
  const print = printProgress({ isTTY, write: (text) => chunks.push(text) > 0 });
  for (const event of events) print(event);
  return chunks.join('');
}

describe('build progress', () => {
  const events: BuildProgress[] = [
    building('etcd', 0),
    ...Array.from({ length: 40 }, (_, index) => building('etcd', index + 1, index * 10 + 1)),
    { kind: 'built', name: 'etcd', number: 1, of: 2, seconds: 41 },
  ];

  test('outside a terminal is a line at the start, every 15 seconds, and at the end', () => {
    assert.deepEqual(written(false, events).trim().split('\n'), [
      '[1/2] etcd: building (once), 0 s, downloading modules',
      '[1/2] etcd: building (once), 15 s, 141 packages compiled',
      '[1/2] etcd: building (once), 30 s, 291 packages compiled',
      '[1/2] etcd: built in 41 s',
    ]);
  });

  test('in a terminal rewrites one line and ends it when the program is built', () => {
    const text = written(true, events);
    assert.equal(text.split('\n').length, 2);
    assert.equal(text.split('\r').length - 1, events.length);
  });

  test('says that another run is waited for', () => {
    assert.match(written(false, [{ kind: 'waiting', directory: '/cache' }]), /Another run .* waiting for it/);
  });
});

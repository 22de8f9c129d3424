import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { sbomOf, type Lockfile } from './sbom.ts';

const lock: Lockfile = {
  name: 'ferry',
  version: '1.0.0',
  packages: {
    '': { license: 'Apache-2.0', dependencies: { '@sea/hull': '2', oars: '1' }, optionalDependencies: { sail: '1' } },
    'node_modules/@sea/hull': {
      version: '2.0.0',
      integrity: 'sha512-AAECAw==',
      license: '(MIT OR Apache-2.0)',
      dependencies: { plank: '^3' },
    },
    'node_modules/@sea/hull/node_modules/plank': { version: '3.0.0', dependencies: { nail: '*' } },
    'node_modules/nail': { version: '7.0.0' },
    'node_modules/oars': { version: '1.1.0', dependencies: { plank: '^4', nail: '*' } },
    'node_modules/plank': { version: '4.0.0', peerDependencies: { varnish: '*' } },
    'node_modules/sail': { version: '1.0.0', optional: true },
    'node_modules/crane': { version: '1.0.0', dev: true },
    'node_modules/winch': { version: '1.0.0', devOptional: true },
  },
};

describe('the bill of materials', () => {
  const sbom = sbomOf(lock, '24.1.2');

  it('lists what runs in production and Node.js, once each, in the order of their URLs', () => {
    assert.deepEqual(
      sbom.components.map(({ purl }) => purl),
      [
        'pkg:generic/node@24.1.2',
        'pkg:npm/%40sea/hull@2.0.0',
        'pkg:npm/nail@7.0.0',
        'pkg:npm/oars@1.1.0',
        'pkg:npm/plank@3.0.0',
        'pkg:npm/plank@4.0.0',
      ],
    );
    assert.equal(sbom.metadata.component.purl, 'pkg:npm/ferry@1.0.0');
  });

  it('has the digest and the license that the lockfile pins', () => {
    const hull = sbom.components.find(({ name }) => name === '@sea/hull');
    assert.deepEqual(hull?.hashes, [{ alg: 'SHA-512', content: '00010203' }]);
    assert.deepEqual(hull.licenses, [{ expression: '(MIT OR Apache-2.0)' }]);
  });

  it('says who needs whom, as Node.js finds them: the nearest copy of a name', () => {
    const needs = Object.fromEntries(sbom.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
    assert.deepEqual(needs, {
      'pkg:generic/node@24.1.2': [],
      'pkg:npm/%40sea/hull@2.0.0': ['pkg:npm/plank@3.0.0'],
      'pkg:npm/ferry@1.0.0': ['pkg:generic/node@24.1.2', 'pkg:npm/%40sea/hull@2.0.0', 'pkg:npm/oars@1.1.0'],
      'pkg:npm/nail@7.0.0': [],
      'pkg:npm/oars@1.1.0': ['pkg:npm/nail@7.0.0', 'pkg:npm/plank@4.0.0'],
      'pkg:npm/plank@3.0.0': ['pkg:npm/nail@7.0.0'],
      'pkg:npm/plank@4.0.0': [],
    });
  });

  it('of this checkout reaches every component from the operator, and pins each package by digest', () => {
    const { metadata, components, dependencies } = sbomOf(
      JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lockfile,
      '24.1.2',
    );
    const needs = new Map(dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
    const reached = new Set([metadata.component.purl]);
    for (const purl of reached) for (const next of needs.get(purl) ?? []) reached.add(next);
    assert.deepEqual(
      components.filter(({ purl }) => !reached.has(purl)),
      [],
    );
    for (const { type, name, hashes } of components) {
      if (type === 'library') assert.match(hashes?.[0]!.content ?? '', /^[0-9a-f]{128}$/, name);
    }
  });
});

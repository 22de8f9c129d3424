import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, describe, it } from 'node:test';
import { KubeConfigError, loadKubeConfig } from './kubeconfig.ts';

const folder = mkdtempSync(join(tmpdir(), 'moa-kubeconfig-'));
after(() => rmSync(folder, { recursive: true }));

const environment = { ...process.env };
afterEach(() => {
  process.env = { ...environment };
});

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

function config(more: { cluster?: object; context?: object; current?: string; name?: string } = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: `https://${more.name ?? 'example'}:6443`, ...more.cluster } }],
    users: [{ name: 'u', user: { token: 't' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', ...more.context } }],
    'current-context': more.current ?? 'x',
  };
}

function serverOf(path?: string): string | undefined {
  return loadKubeConfig(path).getCurrentCluster()?.server;
}

describe('loading a kubeconfig', () => {
  it('takes the file that is named before any other', () => {
    process.env['KUBECONFIG'] = file('environment', config({ name: 'environment' }));
    assert.equal(serverOf(file('named', config({ name: 'named' }))), 'https://named:6443');
  });

  it('takes KUBECONFIG when no file is named', () => {
    process.env['KUBECONFIG'] = file('environment', config({ name: 'environment' }));
    assert.equal(serverOf(), 'https://environment:6443');
  });

  it('says where it looked when there is none', () => {
    delete process.env['KUBECONFIG'];
    process.env['HOME'] = folder;
    assert.throws(() => loadKubeConfig(), {
      code: 'KubeConfig',
      message:
        'no kubeconfig found in KUBECONFIG, ~/.kube/config or the service account of a pod; pass one with --kubeconfig',
    });
  });

  const refused: Record<string, { content: unknown; want: RegExp }> = {
    'a file that is no YAML': { content: '{', want: /cannot read a kubeconfig from .*: / },
    'an empty file': { content: '', want: /cannot read a kubeconfig from .*: / },
    'a current context that does not exist': {
      content: config({ current: 'gone' }),
      want: /the current context "gone" names no cluster; its contexts are x$/,
    },
    'a context whose cluster does not exist': {
      content: config({ context: { cluster: 'gone' } }),
      want: /the current context "x" names no cluster; its contexts are x$/,
    },
    'a context whose user does not exist': {
      content: config({ context: { user: 'gone' } }),
      want: /the current context x names no user$/,
    },
    'a server that is no URL': {
      content: config({ cluster: { server: 'example:six' } }),
      want: /the server of cluster c is not an http or https URL: example:six$/,
    },
    'a server without encryption, unless that is allowed': {
      content: config({ cluster: { server: 'http://example' } }),
      want: /http:\/\/example is not encrypted; set insecure-skip-tls-verify to allow it$/,
    },
    'a proxy of an unknown kind': {
      content: config({ cluster: { 'proxy-url': 'socks5://example' } }),
      want: /only http and https proxies are supported, not socks5:\/\/example$/,
    },
  };
  for (const [name, { content, want }] of Object.entries(refused)) {
    it(`refuses ${name}`, () => {
      const path = file('refused', content);
      assert.throws(
        () => loadKubeConfig(path),
        (error) => {
          assert.ok(error instanceof KubeConfigError);
          assert.match(error.message, want);
          assert.ok(error.message.includes(path));
          return true;
        },
      );
    });
  }

  it('refuses a file that does not exist by its name', () => {
    assert.throws(() => loadKubeConfig('/no/such/file'), { message: '/no/such/file does not exist' });
  });
});

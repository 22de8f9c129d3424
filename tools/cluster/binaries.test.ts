import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { ensureBinaries } from './binaries.ts';
import type { BuildProgress } from './progress.ts';

const module = 'module example.test/tools\n\ngo 1.26\n\nrequire k8s.io/kubernetes v1.36.1 // indirect\n';

/*
 * A go on PATH that takes as long as the file `delay` says, logs its calls, and writes its arguments where the program
 * should be.
 */
const fakeGo = `#!/bin/sh
cd "$(dirname "$0")/.."
while [ "$1" != -o ]; do flags="$flags $1"; shift; done
echo "start $3" >>calls
echo "k8s.io/some/package" >&2
echo "half" >"$2"
sleep "$(cat delay)"
[ -e broken ] && { echo "no such package: $3" >&2; exit 1; }
echo "built from $3 with$flags CGO_ENABLED=$CGO_ENABLED" >"$2"
chmod +x "$2"
echo "end $3" >>calls
`;

describe('ensureBinaries', () => {
  let root = '';
  let env: NodeJS.ProcessEnv = {};
  const file = (...parts: string[]) => join(root, ...parts);
  const calls = () => (existsSync(file('calls')) ? readFileSync(file('calls'), 'utf8').trim().split('\n') : []);
  const ensure = (names: Parameters<typeof ensureBinaries>[0], events: BuildProgress[] = []) =>
    ensureBinaries(names, (event) => events.push(event), { modulesDir: file('modules'), env });

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'moa-binaries-'));
    for (const directory of ['bin', 'modules/control-plane', 'assets']) mkdirSync(file(directory), { recursive: true });
    writeFileSync(file('modules', 'control-plane', 'go.mod'), module);
    writeFileSync(file('delay'), '0');
    writeFileSync(file('bin', 'go'), fakeGo, { mode: 0o755 });
    env = { PATH: `${file('bin')}:/usr/bin:/bin`, XDG_CACHE_HOME: file('cache'), HOME: file('home') };
  });
  afterEach(() => rmSync(root, { recursive: true }));

  test('builds what is missing, once, from the pinned module and with the version stamped in', async () => {
    const events: BuildProgress[] = [];
    const { etcd, kubectl } = (await ensure(['etcd', 'kubectl'], events)) as Record<'etcd' | 'kubectl', string>;
    assert.match(readFileSync(etcd, 'utf8'), /^built from go\.etcd\.io\/etcd\/server\/v3 with build .*CGO_ENABLED=0/);
    assert.match(
      readFileSync(kubectl, 'utf8'),
      /-trimpath .*version\.gitVersion=v1\.36\.1 .*gitMajor=1 .*gitMinor=36 /,
    );
    assert.ok(etcd.startsWith(file('cache', 'moa', 'control-plane')), etcd);
    const seen = events
      .filter((event) => event.kind === 'built')
      .map(({ name, number, of }) => `${number}/${of} ${name}`);
    assert.deepEqual(seen, ['1/2 etcd', '2/2 kubectl']);
    assert.deepEqual(await ensure(['etcd', 'kubectl']), { etcd, kubectl });
    assert.equal(calls().length, 4);
  });

  test('takes from KUBEBUILDER_ASSETS what is there and builds only the rest', async () => {
    for (const name of ['etcd', 'kube-apiserver']) {
      writeFileSync(file('assets', name), '');
      chmodSync(file('assets', name), 0o755);
    }
    env = { ...env, KUBEBUILDER_ASSETS: file('assets') };
    const paths = await ensure(['etcd', 'kube-apiserver', 'kwok']);
    assert.equal(paths.etcd, file('assets', 'etcd'));
    assert.equal(paths['kube-apiserver'], file('assets', 'kube-apiserver'));
    assert.deepEqual(calls(), ['start sigs.k8s.io/kwok/cmd/kwok', 'end sigs.k8s.io/kwok/cmd/kwok']);
  });

  test('needs no Go when KUBEBUILDER_ASSETS holds everything', async () => {
    writeFileSync(file('assets', 'etcd'), '', { mode: 0o755 });
    env = { PATH: '/nonexistent', HOME: file('home'), KUBEBUILDER_ASSETS: file('assets') };
    assert.deepEqual(await ensure(['etcd']), { etcd: file('assets', 'etcd') });
  });

  test('leaves out an optional program that is missing when there is no Go, and builds it when there is', async () => {
    writeFileSync(file('assets', 'etcd'), '', { mode: 0o755 });
    const options = { modulesDir: file('modules'), optional: ['kubectl'] } as const;
    const quiet = () => undefined;
    const assets = { ...env, KUBEBUILDER_ASSETS: file('assets') };
    const withoutGo = await ensureBinaries(['etcd'], quiet, { ...options, env: { ...assets, PATH: '/nonexistent' } });
    assert.deepEqual(withoutGo, { etcd: file('assets', 'etcd') });
    const withGo = await ensureBinaries(['etcd'], quiet, { ...options, env: assets });
    assert.match(readFileSync(withGo.kubectl ?? '', 'utf8'), /^built from k8s\.io\/kubernetes\/cmd\/kubectl/);
  });

  const without: Record<string, { assets?: string; want: RegExp }> = {
    'without Go and KUBEBUILDER_ASSETS, says what to install or set': {
      want: /needs etcd, kwok\. Go, .* not on PATH, and KUBEBUILDER_ASSETS is not set\. Install Go .* or set KUBEBUILDER_ASSETS/,
    },
    'without Go, names what KUBEBUILDER_ASSETS lacks': {
      assets: 'assets',
      want: /needs kwok\. .*KUBEBUILDER_ASSETS \(.*\) does not hold it/,
    },
  };
  for (const [rule, { assets, want }] of Object.entries(without)) {
    test(rule, async () => {
      writeFileSync(file('assets', 'etcd'), '', { mode: 0o755 });
      env = {
        PATH: '/nonexistent',
        HOME: file('home'),
        ...(assets === undefined ? {} : { KUBEBUILDER_ASSETS: file(assets) }),
      };
      await assert.rejects(ensure(['etcd', 'kwok']), want);
    });
  }

  test('has another cache for other versions', async () => {
    const before = await ensure(['etcd']);
    writeFileSync(file('modules', 'control-plane', 'go.mod'), module.replace('v1.36.1', 'v1.36.2'));
    const after = await ensure(['etcd']);
    assert.notEqual(before.etcd, after.etcd);
    assert.match(readFileSync(after.etcd, 'utf8'), /gitVersion=v1\.36\.2/);
  });

  test('fails with what Go says, and leaves nothing that looks built', async () => {
    writeFileSync(file('broken'), '');
    await assert.rejects(
      ensure(['etcd']),
      /go build go\.etcd\.io\/etcd\/server\/v3 failed[^]*no such package: go\.etcd\.io/,
    );
    rmSync(file('broken'));
    assert.match(readFileSync((await ensure(['etcd'])).etcd, 'utf8'), /^built/);
  });

  /** ensureBinaries in a process of its own, which prints the paths. */
  const source = (names: readonly string[]) => `
    import { ensureBinaries } from ${JSON.stringify(new URL('./binaries.ts', import.meta.url).href)};
    const paths = await ensureBinaries(${JSON.stringify(names)}, (event) => console.error(event.kind),
      { modulesDir: ${JSON.stringify(file('modules'))} });
    console.log(JSON.stringify(paths));`;

  test('two at once build each program once, and the second waits for the first', async () => {
    writeFileSync(file('delay'), '0.5');
    const run = () =>
      promisify(execFile)(process.execPath, ['--input-type=module', '-e', source(['etcd', 'kwok'])], { env });
    const [one, two] = await Promise.all([run(), run()]);
    assert.equal(one.stdout, two.stdout);
    assert.deepEqual(calls().filter((call) => call.startsWith('start')).length, 2);
    assert.equal([one, two].filter(({ stderr }) => stderr.includes('waiting')).length, 1);
  });

  test('after a kill in the middle keeps what was finished and builds the rest; nobody waits for the dead', async () => {
    writeFileSync(file('delay'), '0.2');
    const killed = spawn(process.execPath, ['--input-type=module', '-e', source(['etcd', 'kwok'])], {
      env,
      stdio: 'ignore',
    });
    while (!calls().includes('start sigs.k8s.io/kwok/cmd/kwok')) await sleep(10);
    writeFileSync(file('delay'), '0');
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    const { etcd, kwok } = await ensure(['etcd', 'kwok']);
    assert.deepEqual(
      calls().filter((call) => call.startsWith('start')),
      ['start go.etcd.io/etcd/server/v3', 'start sigs.k8s.io/kwok/cmd/kwok', 'start sigs.k8s.io/kwok/cmd/kwok'],
    );
    for (const path of [etcd, kwok]) assert.match(readFileSync(path, 'utf8'), /^built/);
    assert.deepEqual(readdirSync(join(etcd, '..')).sort(), ['etcd', 'kwok', 'lock']);
  });
});

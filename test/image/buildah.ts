import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { command } from './command.ts';
import { nodeRoot, runtimeRoot } from './debian.ts';

/** What an image says of itself: the fields of the OCI configuration that are looked at. */
export interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly WorkingDir: string;
  readonly Labels: Readonly<Record<string, string>>;
}

/** Builds images of this checkout, in a store of its own that goes with it. */
export interface Workshop {
  /** Builds the checkout as it was when the workshop was opened, nothing taken from an earlier build. @returns the image's id: the digest of all that it says and holds */
  build(): Promise<string>;
  /** The image as a registry would serve it. */
  describe(image: string): Promise<{ readonly config: ImageConfig; readonly pullBytes: number }>;
  /** Unpacks an image. @returns the root of its file system, a copy that may be changed */
  unpack(image: string): Promise<string>;
  close(): void;
}

/** How a file of an image layout names another. */
interface Descriptor {
  readonly digest: string;
  /** Bytes, compressed. */
  readonly size: number;
}

const checkout = fileURLToPath(new URL('../..', import.meta.url));
const ingredients = [
  ...['Dockerfile', '.dockerignore', '.npmrc', 'package.json', 'package-lock.json', 'LICENSE'],
  ...['src', 'tools/image'],
];

/** Sets up a store with the two images that the Dockerfile starts from, put together from Debian packages. */
export async function openWorkshop(): Promise<Workshop> {
  const directory = mkdtempSync(join(tmpdir(), 'moa-image-'));
  const close = () => rmSync(directory, { recursive: true, force: true });
  const store = ['--root', join(directory, 'store'), '--runroot', join(directory, 'run'), '--storage-driver', 'vfs'];
  const buildah = (...args: string[]) => command('buildah', [...store, ...args]);
  const bases = { BASE: 'localhost/moa-test/base', NODE: 'localhost/moa-test/node' };

  const commitRoot = async (name: string, from: string, fill: (root: string) => Promise<void>) => {
    const context = join(directory, 'context');
    await fill(join(context, 'root'));
    writeFileSync(join(context, 'Dockerfile'), `FROM ${from}\nCOPY root /\n`);
    await buildah('build', '--quiet', '--isolation', 'chroot', '--tag', name, context);
    rmSync(context, { recursive: true });
  };
  try {
    await commitRoot(bases.BASE, 'scratch', runtimeRoot);
    await commitRoot(bases.NODE, bases.BASE, nodeRoot);
  } catch (error) {
    close();
    throw error;
  }
  const context = join(directory, 'checkout');
  for (const part of ingredients) cpSync(join(checkout, part), join(context, part), { recursive: true });
  const npmCache = await command('npm', ['config', 'get', 'cache']);
  return {
    close,
    build: () =>
      buildah(
        ...['build', '--quiet', '--no-cache', '--isolation', 'chroot', '--network', 'host', '--timestamp', '0'],
        ...['--volume', `${npmCache}:/root/.npm`],
        ...Object.entries(bases).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
        context,
      ),
    describe: async (image) => {
      const layout = join(directory, 'layout');
      await buildah('push', '--quiet', image, `oci:${layout}`);
      const read = (path: string): unknown => JSON.parse(readFileSync(join(layout, path), 'utf8'));
      const blob = ({ digest }: Descriptor) => read(join('blobs', digest.replace(':', '/')));
      const { manifests } = read('index.json') as { readonly manifests: readonly [Descriptor] };
      const manifest = blob(manifests[0]) as { readonly config: Descriptor; readonly layers: readonly Descriptor[] };
      const { config } = blob(manifest.config) as { readonly config: ImageConfig };
      rmSync(layout, { recursive: true });
      return { config, pullBytes: manifest.layers.reduce((sum, { size }) => sum + size, 0) };
    },
    unpack: async (image) => buildah('mount', await buildah('from', image)),
  };
}

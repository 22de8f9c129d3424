import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import process from 'node:process';

import { command } from './command.ts';

/** What Node.js links against, and `env`, which starts npm. */
const packages = ['libc6', 'libgcc-s1', 'libstdc++6', 'coreutils'];

/** Makes buildah usable. @returns why that cannot be, or undefined when all is there */
export async function ensureBuildah(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'building an image without a daemon needs root';
  if (programOnPath('apt-get') === undefined) return 'there is no apt-get to take the base of the image from';
  if (programOnPath('buildah') === undefined)
    await withLists(() => command('apt-get', ['install', '-y', '--no-install-recommends', 'buildah']));
  return undefined;
}

/**
 * Stands in for the base image, which no test can pull: the C and C++ libraries of this system's Debian packages and two
 * users, nothing else.
 *
 * @param directory is made, and becomes the root of the file system
 */
export async function runtimeRoot(directory: string): Promise<void> {
  for (const name of packages.filter((each) => each !== 'coreutils')) await unpack(name, directory);
  for (const part of ['usr/bin', 'usr/sbin', 'sbin', 'usr/share'])
    rmSync(join(directory, part), { recursive: true, force: true });
  for (const part of ['dev', 'proc', 'sys', 'tmp', 'etc', 'usr']) mkdirSync(join(directory, part), { recursive: true });
  writeFileSync(
    join(directory, 'etc/passwd'),
    'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n',
  );
}

/**
 * Stands in for the image of Node.js, on top of {@link runtimeRoot}: the Node.js that runs this test, and the npm that
 * installed it.
 */
export async function nodeRoot(directory: string): Promise<void> {
  const unpacked = `${directory}.coreutils`;
  await unpack('coreutils', unpacked);
  mkdirSync(join(directory, 'usr/bin'), { recursive: true });
  mkdirSync(join(directory, 'usr/local/bin'), { recursive: true });
  cpSync(join(unpacked, 'usr/bin/env'), join(directory, 'usr/bin/env'));
  rmSync(unpacked, { recursive: true });
  cpSync(process.execPath, join(directory, 'usr/local/bin/node'));
  cpSync(npmFolder(), join(directory, 'usr/local/lib/node_modules/npm'), { recursive: true });
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(directory, 'usr/local/bin/npm'));
}

/** `npm test` says where npm is; else it is the one on PATH, which is a link into its folder. */
function npmFolder(): string {
  const program = process.env['npm_execpath'] ?? programOnPath('npm');
  if (program === undefined) throw new Error('npm is not on PATH');
  return join(dirname(realpathSync(program)), '..');
}

/** Puts the files of a package into a folder; the package itself is kept for the next time. */
async function unpack(name: string, directory: string): Promise<void> {
  const find = () => globSync(`${name}_*.deb`, { cwd: cache })[0];
  if (find() === undefined) await download();
  const file = find();
  if (file === undefined) throw new Error(`apt-get did not bring ${name}`);
  mkdirSync(directory, { recursive: true });
  await command('dpkg-deb', ['--extract', join(cache, file), directory]);
}

const root = process.env['XDG_CACHE_HOME'];
const cache = join(root === undefined || root === '' ? join(homedir(), '.cache') : root, 'moa', 'image');

/** All packages into the cache. A file appears there only when it is whole. */
async function download(): Promise<void> {
  mkdirSync(cache, { recursive: true });
  const incoming = mkdtempSync(join(cache, 'incoming-'));
  try {
    await withLists(() => command('apt-get', ['download', ...packages], incoming));
    for (const file of globSync('*.deb', { cwd: incoming })) renameSync(join(incoming, file), join(cache, file));
  } finally {
    rmSync(incoming, { recursive: true });
  }
}

/** A fresh machine knows of no packages: then apt-get fetches its lists, and `action` has a second try. */
async function withLists(action: () => Promise<string>): Promise<void> {
  try {
    await action();
  } catch {
    await command('apt-get', ['update']);
    await action();
  }
}

function programOnPath(program: string): string | undefined {
  const places = (process.env['PATH'] ?? '').split(delimiter).map((directory) => join(directory, program));
  return places.find((path) => existsSync(path));
}

// Runs one of the project's TypeScript entry points on a fresh clone: installs the locked dependencies when they are
// missing or outdated, then hands over to the pinned Node. Plain JavaScript, so that any Node >= 20 can start it.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [target, ...rest] = process.argv.slice(2);
if (target === undefined) {
  console.error('usage: node tools/run.mjs FILE.ts [ARGUMENTS]');
  process.exit(2);
}
const entry = resolve(root, target);
const modules = join(root, 'node_modules');
const stamp = join(modules, '.moa-installed-lock');
const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) await install();

const wantMajor = Number(/"node_modules\/node": \{\s+"version": "(\d+)/.exec(lock)?.[1] ?? 24);
const pinned = join(modules, '.bin', 'node');
if (Number(process.versions.node.split('.')[0]) === wantMajor) {
  process.argv.splice(1, 2, entry);
  await import(pathToFileURL(entry).href);
} else {
  const child = spawn(pinned, [entry, ...rest], { stdio: 'inherit', cwd: process.cwd() });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  // npm killed outright tells nobody: without this the child would go on for ever.
  const parent = process.ppid;
  setInterval(() => process.ppid === parent || child.kill('SIGTERM'), 1000).unref();
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));
}

/** `npm ci`, one run at a time: a second caller waits for the first and then finds the stamp. */
async function install() {
  const guard = join(root, '.npm-install.tmp');
  for (;;) {
    try {
      mkdirSync(guard);
      break;
    } catch {
      const owner = ownerOf(guard);
      if (owner !== undefined && !alive(owner)) rmSync(guard, { recursive: true, force: true });
      await new Promise((done) => setTimeout(done, 300));
      if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
    }
  }
  writeFileSync(join(guard, 'pid'), String(process.pid));
  try {
    console.error('Installing the locked dependencies (once) ...');
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
    const result = spawnSync(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: root,
      stdio: 'inherit',
    });
    if (result.status !== 0) {
      console.error('npm ci failed: see above. Moa needs npm and its registry once; run the same command again.');
      process.exit(result.status ?? 1);
    }
    writeFileSync(stamp, lock);
  } finally {
    rmSync(guard, { recursive: true, force: true });
  }
}

function ownerOf(guard) {
  try {
    return Number(readFileSync(join(guard, 'pid'), 'utf8'));
  } catch {
    return undefined;
  }
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

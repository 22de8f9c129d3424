import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';

import { compile } from './compile.ts';
import { sbomOf, type Lockfile } from './sbom.ts';
import { trim } from './trim.ts';

const usage = `Usage: node tools/image/main.ts pack|sbom

pack  In the image's build, where only what runs is installed: compiles src/ to dist/, trims node_modules/ and writes
      sbom.cdx.json, all in the working folder; makes the empty folder ledger/.
sbom  Prints the bill of materials (CycloneDX 1.6) of what package-lock.json would ship.
`;

const sbom = (): string => {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lockfile;
  return `${JSON.stringify(sbomOf(lock, process.versions.node), undefined, 2)}\n`;
};

switch (process.argv[2]) {
  case 'pack': {
    const sources = compile({ mains: ['main.ts', 'ledger/report/main.ts'], root: 'src', out: 'dist' });
    const trimmed = trim('node_modules');
    writeFileSync('sbom.cdx.json', sbom());
    mkdirSync('ledger');
    process.stdout.write(`${sources.length} sources compiled, ${trimmed.length} files of packages removed\n`);
    break;
  }
  case 'sbom':
    process.stdout.write(sbom());
    break;
  default:
    process.stderr.write(usage);
    process.exitCode = 2;
}

/** What `package-lock.json` says of one package; the fields that are read here. */
interface LockedPackage {
  readonly version?: string;
  /** `sha512-` and the digest in base64. */
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** A lockfile of version 2 or 3: packages by the path that they are installed at, the project itself at ''. */
export interface Lockfile {
  readonly name: string;
  readonly version: string;
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

/** One entry of a bill of materials. */
interface Component {
  readonly type: 'application' | 'library' | 'platform';
  /** The package URL: its identity, here and for every scanner. */
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly cpe?: string;
  readonly hashes?: readonly { readonly alg: 'SHA-512'; readonly content: string }[];
  readonly licenses?: readonly { readonly expression: string }[];
}

/** A CycloneDX 1.6 document. */
export interface Sbom {
  readonly $schema: string;
  readonly bomFormat: 'CycloneDX';
  readonly specVersion: '1.6';
  readonly version: 1;
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/**
 * The bill of materials of the operator: every package that `npm ci --omit=dev --omit=optional` installs, with the digest
 * that the lockfile pins, who needs whom, and the Node.js that runs it all. The packages of the base image are the base's
 * own, and listed in it.
 *
 * No clock and no random serial number: the same lockfile gives the same bytes.
 *
 * @param nodeVersion `24.21.0`
 */
export function sbomOf(lock: Lockfile, nodeVersion: string): Sbom {
  const { '': project, ...packages } = lock.packages;
  const shipped = Object.entries(packages).filter(([, locked]) => isShipped(locked));
  const components = new Map<string, Component>();
  const dependencies = new Map<string, Set<string>>();
  const refs = new Map(shipped.map(([path, locked]) => [path, purlOf(nameAt(path), locked.version ?? '')]));
  for (const [path, locked] of shipped) {
    const component = libraryOf(nameAt(path), locked);
    components.set(component.purl, component);
    // The same version can be installed at several paths, each with neighbours of its own.
    const known = dependencies.get(component.purl) ?? [];
    dependencies.set(component.purl, new Set([...known, ...needsOf(path, locked, refs)]));
  }
  const node = nodeOf(nodeVersion);
  components.set(node.purl, node);
  dependencies.set(node.purl, new Set());

  const purl = purlOf(lock.name, lock.version);
  const application: Component = {
    type: 'application',
    'bom-ref': purl,
    name: lock.name,
    version: lock.version,
    purl,
    ...licensesOf(project),
  };
  dependencies.set(purl, needsOf('', project ?? {}, refs).add(node.purl));
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: application },
    components: [...components.values()].sort((a, b) => compare(a.purl, b.purl)),
    dependencies: [...dependencies]
      .sort(([a], [b]) => compare(a, b))
      .map(([ref, needs]) => ({ ref, dependsOn: [...needs].sort(compare) })),
  };
}

/** Whether `npm ci --omit=dev --omit=optional` installs it. */
function isShipped({ dev, optional, devOptional }: LockedPackage): boolean {
  return dev !== true && optional !== true && devOptional !== true;
}

/** `node_modules/a/node_modules/@b/c` holds `@b/c`. */
function nameAt(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

function purlOf(name: string, version: string): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

function libraryOf(name: string, locked: LockedPackage): Component {
  const version = locked.version ?? '';
  const purl = purlOf(name, version);
  const [algorithm, digest] = locked.integrity?.split('-', 2) ?? [];
  const pinned = algorithm === 'sha512' && digest !== undefined;
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    purl,
    ...(pinned ? { hashes: [{ alg: 'SHA-512', content: Buffer.from(digest, 'base64').toString('hex') }] } : {}),
    ...licensesOf(locked),
  };
}

/** npm does not install Node.js: scanners know it by its CPE. */
function nodeOf(version: string): Component {
  const purl = `pkg:generic/node@${version}`;
  const cpe = `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`;
  return { type: 'platform', 'bom-ref': purl, name: 'node', version, purl, cpe, licenses: [{ expression: 'MIT' }] };
}

function licensesOf(locked: LockedPackage | undefined): Pick<Component, 'licenses'> {
  return locked?.license === undefined ? {} : { licenses: [{ expression: locked.license }] };
}

/** What a package needs, found as Node finds it: in its own folder, then in those above. What is not shipped is left out. */
function needsOf(path: string, locked: LockedPackage, refs: ReadonlyMap<string, string>): Set<string> {
  const names = Object.keys({ ...locked.dependencies, ...locked.optionalDependencies, ...locked.peerDependencies });
  const needs = names.map((name) => {
    for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
      const ref = refs.get(folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`);
      if (ref !== undefined || folder === '') return ref;
    }
  });
  return new Set(needs.filter((ref) => ref !== undefined));
}

/** By code points, so that no locale changes the bytes. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

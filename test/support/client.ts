import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { loadAll } from 'js-yaml';

import { ApiError, type ApiClient } from '../../tools/cluster/index.ts';
import { eventually } from './eventually.ts';
import type { KubeObject } from './manifests.ts';

/** Names a kind of object. */
export interface KindRef {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Names one object. A manifest is one, too. */
export interface ObjectRef extends KindRef {
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined };
}

/** Which objects to list. */
export interface ListQuery {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** The plain verbs of the API server for tests, on parsed JSON. Every refusal is an {@link ApiError}. */
export class TestClient {
  readonly raw: ApiClient;
  readonly #resources = new Map<string, Promise<ReadonlyMap<string, { plural: string; namespaced: boolean }>>>();

  constructor(raw: ApiClient) {
    this.raw = raw;
  }

  async get<T extends KubeObject = KubeObject>(ref: ObjectRef): Promise<T> {
    return (await this.raw.request({ method: 'GET', path: await this.path(ref) })) as T;
  }

  /** Like {@link get}, but undefined for an object that does not exist. */
  async find<T extends KubeObject = KubeObject>(ref: ObjectRef): Promise<T | undefined> {
    try {
      return await this.get<T>(ref);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  async list<T extends KubeObject = KubeObject>(kind: KindRef, query: ListQuery = {}): Promise<T[]> {
    const parameters = new URLSearchParams();
    if (query.labelSelector !== undefined) parameters.set('labelSelector', query.labelSelector);
    if (query.fieldSelector !== undefined) parameters.set('fieldSelector', query.fieldSelector);
    const path = `${await this.#collection(kind, query.namespace)}?${parameters.toString()}`;
    return ((await this.raw.request({ method: 'GET', path })) as { items: T[] }).items;
  }

  async create<T extends KubeObject = KubeObject>(
    manifest: KubeObject,
    options: { dryRun?: boolean } = {},
  ): Promise<T> {
    const collection = await this.#collection(manifest, namespaceOf(manifest));
    const path = `${collection}?fieldValidation=Strict${options.dryRun === true ? '&dryRun=All' : ''}`;
    return (await this.raw.request({ method: 'POST', path, body: manifest })) as T;
  }

  /** Server-side apply, forced, as field manager `test`. */
  async apply<T extends KubeObject = KubeObject>(manifest: KubeObject, subresource?: 'status'): Promise<T> {
    return (await this.raw.request({
      method: 'PATCH',
      path: `${await this.path(manifest, subresource)}?fieldManager=test&force=true`,
      contentType: 'application/apply-patch+yaml',
      body: manifest,
    })) as T;
  }

  /** A JSON merge patch: null removes a field. */
  async patch<T extends KubeObject = KubeObject>(ref: ObjectRef, body: object, subresource?: 'status'): Promise<T> {
    const path = await this.path(ref, subresource);
    return (await this.raw.request({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body })) as T;
  }

  async delete(ref: ObjectRef, options: { gracePeriodSeconds?: number } = {}): Promise<void> {
    await this.raw.request({ method: 'DELETE', path: await this.path(ref), body: options });
  }

  /** The path of one object, or of its subresource. */
  async path(ref: ObjectRef, subresource?: string): Promise<string> {
    const path = `${await this.#collection(ref, namespaceOf(ref))}/${ref.metadata.name}`;
    return subresource === undefined ? path : `${path}/${subresource}`;
  }

  /** Applies every file of `crds/` and waits until the API server serves all of them. */
  async applyCrds(): Promise<void> {
    const directory = fileURLToPath(new URL('../../crds', import.meta.url));
    const files = readdirSync(directory).filter((name) => /\.ya?ml$/.test(name));
    const crds = files.flatMap((name) => loadAll(readFileSync(`${directory}/${name}`, 'utf8')) as KubeObject[]);
    await Promise.all(crds.map((crd) => this.apply(crd)));
    await eventually(async () => {
      for (const crd of crds) {
        const { status } = await this.get<
          KubeObject & { status?: { conditions?: { type: string; status: string }[] } }
        >(crd);
        const established = status?.conditions?.some((item) => item.type === 'Established' && item.status === 'True');
        if (established !== true) throw new Error(`${crd.metadata.name} is not established`);
      }
    });
    this.#resources.clear();
  }

  async #collection({ apiVersion, kind }: KindRef, namespace: string | undefined): Promise<string> {
    const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const resource = (await this.#discover(group)).get(kind);
    if (resource === undefined) throw new Error(`the API server does not serve ${kind} in ${apiVersion}`);
    const scope = resource.namespaced && namespace !== undefined ? `/namespaces/${namespace}` : '';
    return `${group}${scope}/${resource.plural}`;
  }

  #discover(group: string): Promise<ReadonlyMap<string, { plural: string; namespaced: boolean }>> {
    const known = this.#resources.get(group);
    if (known !== undefined) return known;
    const asked = this.raw.request({ method: 'GET', path: group }).then((answer) => {
      const { resources } = answer as { resources: { name: string; kind: string; namespaced: boolean }[] };
      const whole = resources.filter(({ name }) => !name.includes('/'));
      return new Map(whole.map(({ kind, name, namespaced }) => [kind, { plural: name, namespaced }]));
    });
    this.#resources.set(group, asked);
    asked.catch(() => this.#resources.delete(group));
    return asked;
  }
}

/** Where an object of a namespaced kind lives when it does not say so. */
function namespaceOf(ref: ObjectRef): string {
  return ref.metadata.namespace ?? 'default';
}

import { applyPatch, isApiError, mergePatch, type Transport } from '../../src/kube/index.ts';
import type { KubeObject } from './manifests.ts';

/** Names a kind of object. */
export interface KindRef {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Names one object; in namespace `default` where its kind has namespaces and it names none. A manifest is one, too. */
export interface ObjectRef extends KindRef {
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined };
}

/** Which objects to list; in all namespaces unless one is given. */
export interface ListQuery {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** How the API server calls the objects of a kind. */
interface Resource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** The plain verbs of the API server for tests, on parsed JSON. Every refusal is an ApiError. */
export class TestClient {
  /** For whatever the verbs do not cover. */
  readonly transport: Transport;
  readonly #resources = new Map<string, Promise<readonly Resource[]>>();

  constructor(transport: Transport) {
    this.transport = transport;
  }

  async get<T extends KubeObject = KubeObject>(ref: ObjectRef): Promise<T> {
    return this.transport.request<T>({ method: 'GET', path: await this.path(ref) });
  }

  /** Like {@link get}, but undefined for an object that does not exist. */
  async find<T extends KubeObject = KubeObject>(ref: ObjectRef): Promise<T | undefined> {
    try {
      return await this.get<T>(ref);
    } catch (error) {
      if (isApiError(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  async list<T extends KubeObject = KubeObject>(kind: KindRef, { namespace, ...query }: ListQuery = {}): Promise<T[]> {
    const path = await this.#collection(kind, namespace);
    const { items } = await this.transport.request<{ items: T[] }>({ method: 'GET', path, query });
    // The API server leaves out of items what the list says for all of them.
    return items.map((item) => ({ ...item, apiVersion: kind.apiVersion, kind: kind.kind }));
  }

  /** Unknown fields are refused. A dry run goes through validation and admission, and stores nothing. */
  async create<T extends KubeObject = KubeObject>(manifest: KubeObject, options?: { dryRun: boolean }): Promise<T> {
    const path = await this.#collection(manifest, namespaceOf(manifest));
    const query = { fieldValidation: 'Strict', ...(options?.dryRun === true ? { dryRun: 'All' } : {}) };
    return this.transport.request<T>({ method: 'POST', path, query, body: manifest });
  }

  /** Server-side apply as field manager `test`; takes over what others own. */
  async apply<T extends KubeObject = KubeObject>(manifest: KubeObject, subresource?: 'status'): Promise<T> {
    const path = await this.path(manifest, subresource);
    const query = { fieldManager: 'test', force: 'true' };
    return this.transport.request<T>({ method: 'PATCH', path, query, contentType: applyPatch, body: manifest });
  }

  /** A JSON merge patch: null removes a field. */
  async patch<T extends KubeObject = KubeObject>(ref: ObjectRef, body: object, subresource?: 'status'): Promise<T> {
    const path = await this.path(ref, subresource);
    return this.transport.request<T>({ method: 'PATCH', path, contentType: mergePatch, body });
  }

  async delete(ref: ObjectRef, options: { gracePeriodSeconds?: number } = {}): Promise<void> {
    await this.transport.request({ method: 'DELETE', path: await this.path(ref), body: options });
  }

  /** The path of one object, or of its subresource. */
  async path(ref: ObjectRef, subresource?: string): Promise<string> {
    const path = `${await this.#collection(ref, namespaceOf(ref))}/${ref.metadata.name}`;
    return subresource === undefined ? path : `${path}/${subresource}`;
  }

  async #collection({ apiVersion, kind }: KindRef, namespace: string | undefined): Promise<string> {
    const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const resource = (await this.#discover(group)).find((known) => known.kind === kind && !known.name.includes('/'));
    if (resource === undefined) throw new Error(`the API server does not serve ${kind} in ${apiVersion}`);
    const scope = resource.namespaced && namespace !== undefined ? `/namespaces/${namespace}` : '';
    return `${group}${scope}/${resource.name}`;
  }

  #discover(group: string): Promise<readonly Resource[]> {
    const known = this.#resources.get(group);
    if (known !== undefined) return known;
    const asked = this.transport
      .request<{ resources: readonly Resource[] }>({ method: 'GET', path: group })
      .then(({ resources }) => resources);
    this.#resources.set(group, asked);
    // A group that is not served yet may be served later.
    asked.catch(() => this.#resources.delete(group));
    return asked;
  }
}

function namespaceOf(ref: ObjectRef): string {
  return ref.metadata.namespace ?? 'default';
}

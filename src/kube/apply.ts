import { ApiError, isApiError } from './errors.ts';
import { applyPatch, strategicMergePatch, type Transport } from './transport.ts';

export interface ApplyRequest {
  /** Of the object: `/apis/moa.dev/v1alpha1/gpupools/national`. */
  readonly path: string;
  /**
   * Who owns the fields of the body from now on. Fields that the owner applied before and leaves out now are removed.
   */
  readonly fieldManager: string;
  /** Takes fields over from other owners; true unless given, as is right for a controller with its own fields. */
  readonly force?: boolean;
  /**
   * apiVersion, kind, metadata.name and the fields to own. With `metadata.resourceVersion` the server refuses, code
   * Conflict, when the object has changed since; with `metadata.uid`, when it is another one.
   */
  readonly body: unknown;
  readonly signal?: AbortSignal;
}

/** Server-side apply: creates the object or sets the fields in the body. @returns the object as it is now */
export async function applyObject<T>(transport: Transport, request: ApplyRequest): Promise<T> {
  const { path, fieldManager, force = true, body, signal } = request;
  const applying = transport.request<T>({
    method: 'PATCH',
    path,
    query: { fieldManager, force: String(force) },
    contentType: applyPatch,
    body,
    ...(signal === undefined ? {} : { signal }),
  });
  return applying.catch(throwUidConflict);
}

/** Server-side apply of the status. The path is the object's own. @returns the object as it is now */
export function applyStatus<T>(transport: Transport, request: ApplyRequest): Promise<T> {
  return applyObject<T>(transport, { ...request, path: `${request.path}/status` });
}

export interface BindingRequest {
  readonly namespace: string;
  readonly name: string;
  /** Of the pod that was decided on. */
  readonly uid: string;
  readonly nodeName: string;
  /** Put on the pod in the same write. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * Puts a pod on a node, once: the server refuses with code Conflict when the pod has a node already, is being deleted,
 * or is another one of the same name.
 */
export async function bindPod(transport: Transport, binding: BindingRequest, signal?: AbortSignal): Promise<void> {
  const { namespace, name, uid, nodeName, annotations = {} } = binding;
  await transport.request({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/pods/${name}/binding`,
    body: {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { namespace, name, uid, annotations },
      target: { apiVersion: 'v1', kind: 'Node', name: nodeName },
    },
    ...(signal === undefined ? {} : { signal }),
  });
}

export interface PodDeletion {
  readonly namespace: string;
  readonly name: string;
  /** The server refuses, code Conflict, when the pod of that name is another one. */
  readonly uid: string;
  /**
   * From the call to the kill; whole seconds, at least 1: with 0 the API server drops the pod at once, while its node
   * still runs it. The pod's own `terminationGracePeriodSeconds` does not count.
   */
  readonly graceSeconds: number;
}

/** Deletes a pod that runs, once. One that is being deleted already can only get less time by it. */
export async function deletePod(transport: Transport, deletion: PodDeletion, signal?: AbortSignal): Promise<void> {
  const { namespace, name, uid, graceSeconds } = deletion;
  await transport.request({
    method: 'DELETE',
    path: `/api/v1/namespaces/${namespace}/pods/${name}`,
    body: { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: graceSeconds, preconditions: { uid } },
    ...(signal === undefined ? {} : { signal }),
  });
}

/** A condition of a pod. Times are RFC 3339 without fractions. */
export interface PodCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
  readonly lastProbeTime?: string;
  readonly lastTransitionTime?: string;
  readonly observedGeneration?: number;
}

export interface PodConditionPatch {
  readonly namespace: string;
  readonly name: string;
  /** The server refuses, code Conflict, when the pod of that name is another one. */
  readonly uid: string;
  /** The server refuses, code Conflict, when the pod has changed since. */
  readonly resourceVersion?: string;
  readonly condition: PodCondition;
}

/**
 * Sets one condition of a pod. The others, and the rest of the status, stay as they are; so do fields of the condition
 * that are left out.
 *
 * @returns the pod's resourceVersion with it
 */
export async function patchPodCondition(
  transport: Transport,
  { namespace, name, uid, resourceVersion, condition }: PodConditionPatch,
  signal?: AbortSignal,
): Promise<string> {
  const patching = transport.request<{ readonly metadata?: { readonly resourceVersion?: string } } | undefined>({
    method: 'PATCH',
    path: `/api/v1/namespaces/${namespace}/pods/${name}/status`,
    contentType: strategicMergePatch,
    body: {
      metadata: { uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
      status: { conditions: [condition] },
    },
    ...(signal === undefined ? {} : { signal }),
  });
  const patched = await patching.catch(throwUidConflict);
  return patched?.metadata?.resourceVersion ?? '';
}

/**
 * A patch that names another uid than the object's is refused as an attempt to change the uid, code Invalid. What it
 * means is what a binding with a wrong uid gets: Conflict.
 */
function throwUidConflict(error: unknown): never {
  const uidRefused =
    isApiError(error, 'Invalid') && error.details?.causes?.some(({ field }) => field === 'metadata.uid');
  if (uidRefused !== true) throw error;
  throw new ApiError(error.message, {
    status: 409,
    code: 'Conflict',
    retryable: false,
    details: error.details,
    cause: error,
  });
}

import { definitions, parseResource, type Kind, type Parsed, type ResourceByKind } from '../../api/v1alpha1/index.ts';
import type { Change, RawObject, Store, Stored } from '../../kube/index.ts';

/** Status of a kind. */
export type StatusOf<K extends Kind> = NonNullable<ResourceByKind[K]['status']>;

/** What the stores keep of a resource of Moa. */
export interface ResourceProjection<K extends Kind = Kind> extends Stored {
  readonly generation: number;
  /** The resource, or what is wrong in it: it may have been stored before the schema refused it. */
  readonly parsed: Parsed<ResourceByKind[K]>;
  /** Status as last seen, also of a resource whose spec can't be read; undefined where it does not fit its schema. */
  readonly status: StatusOf<K> | undefined;
}

/** The three resources. */
export interface ManifestStores {
  readonly pools: Store<ResourceProjection<'GpuPool'>>;
  readonly quotas: Store<ResourceProjection<'ResearchQuota'>>;
  readonly investments: Store<ResourceProjection<'MatchingInvestment'>>;
}

/** What a reflector keeps of the objects of a kind. Never throws for an object that has a name. */
export function projectResource<K extends Kind>(kind: K): (raw: RawObject) => ResourceProjection<K> {
  return (raw) => {
    const { name, uid, resourceVersion, generation } = raw['metadata'] as Stored & { readonly generation?: number };
    const status = definitions[kind].status.safeParse(raw['status']);
    return {
      uid,
      namespace: '',
      name,
      resourceVersion,
      generation: generation ?? 0,
      parsed: parseResource(kind, raw),
      status: status.success ? status.data : undefined,
    };
  };
}

/**
 * Whether a change of a resource can change what a policy says: anything but a status, save the weights that an
 * investment pinned.
 */
export function changesManifest({ object, previous }: Change<ResourceProjection>): boolean {
  if (previous === undefined || previous === object || previous.uid !== object.uid) return true;
  return object.generation !== previous.generation || pinsOf(object) !== pinsOf(previous);
}

function pinsOf({ status }: ResourceProjection): string {
  return JSON.stringify((status as StatusOf<'MatchingInvestment'> | undefined)?.pinnedWeights);
}

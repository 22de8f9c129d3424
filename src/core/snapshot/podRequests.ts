import { parseResourceQuantity } from '../units/index.ts';
import { quoted } from './quoted.ts';
import { listOf, objectOf, textOf, type Raw } from './raw.ts';

/** Hears a sentence about a field that cannot be read or modelled. */
export type Refuse = (sentence: string) => void;

type Amounts = Map<string, number>;

/** Different resources that one pod may ask for: several times what any real one does. */
const mostResources = 64;

const bytes = /^(?:memory|ephemeral-storage|hugepages-.*)$/;

/**
 * What a pod asks of its node, by resource name in the unit of `parseResourceQuantity`, worked out as kube-scheduler does
 * (`k8s.io/component-helpers/resource`, PodRequests):
 *
 * - containers and sidecars run together; each init container runs with the sidecars that were started before it;
 *   the larger of the two counts, resource by resource;
 * - what `spec.resources` says about cpu, memory and huge pages replaces that sum;
 * - `spec.overhead` is added, and one of `pods`;
 * - a container that is being resized counts with the largest of what it asks for, was given and has.
 *
 * A quantity that cannot be read, or is beyond {@link mostOf} its resource, is refused and counts as nothing.
 */
export function effectiveRequests(pod: Raw, refuse: Refuse): Readonly<Record<string, number>> {
  const spec = objectOf(pod['spec']);
  const total: Amounts = containerRequests(pod, refuse);
  const podLevel = requestsOf(objectOf(spec['resources']), 'spec.resources', refuse);
  for (const [resource, amount] of podLevel) if (hasPodLevel(resource)) total.set(resource, amount);
  add(total, amountsOf(spec['overhead'], 'spec.overhead', refuse));
  total.set('pods', 1);
  const byName = [...total].filter(([, amount]) => amount > 0).sort(([a], [b]) => (a < b ? -1 : 1));
  if (byName.length > mostResources)
    refuse(`the pod asks for ${byName.length} different resources: Moa counts ${mostResources}, ask for fewer.`);
  const counted = byName.slice(0, mostResources).filter(([resource, amount]) => {
    if (amount <= mostOf(resource)) return true;
    refuse(`the pod asks for ${amount} of ${resource}: that is more than Moa can count, ask for less.`);
    return false;
  });
  return Object.fromEntries(counted);
}

/** Whether the entry of `spec.initContainers` runs on beside the containers. */
export function isSidecar(container: Raw): boolean {
  return container['restartPolicy'] === 'Always';
}

function containerRequests(pod: Raw, refuse: Refuse): Amounts {
  const spec = objectOf(pod['spec']);
  const resizes = resizesOf(pod, refuse);
  const asks = (value: unknown, field: string): Amounts =>
    requestsOf(objectOf(objectOf(value)['resources']), `${field}.resources`, refuse);
  const holds = (value: unknown, field: string): Amounts =>
    resizes(textOf(objectOf(value)['name']) ?? '', asks(value, field));
  const together: Amounts = new Map();
  listOf(spec['containers']).forEach((container, i) => add(together, holds(container, `spec.containers[${i}]`)));

  const sidecars: Amounts = new Map();
  const starting: Amounts = new Map();
  listOf(spec['initContainers']).forEach((container, i) => {
    const field = `spec.initContainers[${i}]`;
    if (isSidecar(objectOf(container))) {
      const own = holds(container, field);
      add(together, own);
      add(sidecars, own);
      raise(starting, sidecars);
    } else {
      const own = asks(container, field);
      add(own, sidecars);
      raise(starting, own);
    }
  });
  raise(together, starting);
  return together;
}

/** What each container's requests become while the kubelet has not (yet) given it what it asks for. */
function resizesOf(pod: Raw, refuse: Refuse): (container: string, requests: Amounts) => Amounts {
  const status = objectOf(pod['status']);
  const statuses = [...listOf(status['containerStatuses']), ...listOf(status['initContainerStatuses'])]
    .map(objectOf)
    .filter((container) => container['resources'] !== undefined);
  if (statuses.length === 0) return (_, requests) => requests;
  const infeasible = listOf(status['conditions'])
    .map(objectOf)
    .some((condition) => condition['type'] === 'PodResizePending' && condition['reason'] === 'Infeasible');
  return (name, requests) => {
    const container = statuses.find((candidate) => candidate['name'] === name);
    if (container === undefined) return requests;
    // A resize that the node can never grant does not count.
    const held: Amounts = new Map<string, number>(infeasible ? [] : requests);
    raise(held, amountsOf(objectOf(container['resources'])['requests'], `status of ${name}: requests`, refuse));
    raise(held, amountsOf(container['allocatedResources'], `status of ${name}: allocatedResources`, refuse));
    return held;
  };
}

/** A limit without a request is the request, as the API server writes it. */
function requestsOf(resources: Raw, field: string, refuse: Refuse): Amounts {
  const amounts = amountsOf(resources['limits'], `${field}.limits`, refuse);
  for (const [resource, amount] of amountsOf(resources['requests'], `${field}.requests`, refuse))
    amounts.set(resource, amount);
  return amounts;
}

function amountsOf(value: unknown, field: string, refuse: Refuse): Amounts {
  const amounts: Amounts = new Map();
  for (const [resource, quantity] of Object.entries(objectOf(value))) {
    const amount = readAmount(resource, quantity);
    if (amount === undefined)
      refuse(`${field}[${resource}] is ${quoted(quantity)}: write a quantity such as 2 or 500m.`);
    else amounts.set(resource, amount);
  }
  return amounts;
}

/**
 * The largest amount of a resource that is counted, in the unit of `parseResourceQuantity`: a pebibyte of memory or disk, 8.8
 * million million of anything else. Thousands of such amounts on one node still add up and come off again exactly, or to
 * within a few bytes; without an end the first pod that asks for `9E` would spoil the sums of all others.
 */
export function mostOf(resource: string): number {
  return bytes.test(resource) ? 2 ** 50 : 2 ** 43;
}

/** Undefined unless it is a quantity, finite and not negative. */
export function readAmount(resource: string, quantity: unknown): number | undefined {
  if (typeof quantity !== 'string' && typeof quantity !== 'number') return undefined;
  const amount = parseResourceQuantity(resource, quantity);
  return amount !== undefined && Number.isFinite(amount) && amount >= 0 ? amount : undefined;
}

function hasPodLevel(resource: string): boolean {
  return resource === 'cpu' || resource === 'memory' || resource.startsWith('hugepages-');
}

function add(to: Amounts, amounts: Amounts): void {
  for (const [resource, amount] of amounts) to.set(resource, (to.get(resource) ?? 0) + amount);
}

function raise(to: Amounts, amounts: Amounts): void {
  for (const [resource, amount] of amounts) to.set(resource, Math.max(to.get(resource) ?? 0, amount));
}

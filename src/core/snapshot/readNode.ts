import type { NodeFacts, Taint } from './facts.ts';
import { mostOf, readAmount } from './podRequests.ts';
import { listOf, objectOf, textMembersOf, textOf, type Raw } from './raw.ts';

/**
 * Reads a node as the API server shows it. Never throws: an amount that cannot be read or counted (`mostOf`) counts as
 * none, so that nothing is placed on it.
 */
export function readNode(raw: Raw): NodeFacts {
  const metadata = objectOf(raw['metadata']);
  const spec = objectOf(raw['spec']);
  const status = objectOf(raw['status']);
  return {
    name: textOf(metadata['name']) ?? '',
    labels: textMembersOf(metadata['labels']),
    taints: listOf(spec['taints']).map(readTaint),
    cordoned: spec['unschedulable'] === true,
    ready: listOf(status['conditions'])
      .map(objectOf)
      .some((condition) => condition['type'] === 'Ready' && condition['status'] === 'True'),
    // Kubernetes takes the capacity where a node does not say what it can give away.
    allocatable: readAmounts(status['allocatable'] ?? status['capacity']),
  };
}

/** Whether scheduling sees no difference. Heartbeats, images and addresses are none. */
export function sameNode(a: NodeFacts, b: NodeFacts): boolean {
  return (
    a.name === b.name &&
    a.ready === b.ready &&
    a.cordoned === b.cordoned &&
    sameMembers(a.allocatable, b.allocatable) &&
    sameMembers(a.labels, b.labels) &&
    a.taints.length === b.taints.length &&
    a.taints.every((taint, i) => sameTaint(taint, b.taints[i]))
  );
}

/** An effect that we do not know keeps pods away: that can only delay them. */
function readTaint(value: unknown): Taint {
  const { key, value: text, effect } = objectOf(value);
  return {
    key: textOf(key) ?? '',
    value: textOf(text) ?? '',
    effect: effect === 'PreferNoSchedule' || effect === 'NoExecute' ? effect : 'NoSchedule',
  };
}

function readAmounts(value: unknown): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(objectOf(value)).flatMap(([resource, quantity]) => {
      const amount = readAmount(resource, quantity);
      return amount === undefined || amount > mostOf(resource) ? [] : [[resource, amount]];
    }),
  );
}

function sameTaint(a: Taint, b: Taint | undefined): boolean {
  return a.key === b?.key && a.value === b.value && a.effect === b.effect;
}

function sameMembers<T>(a: Readonly<Record<string, T>>, b: Readonly<Record<string, T>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key]);
}

import { plan, type Plan, type PlanOptions } from '../../src/core/plan/index.ts';
import {
  Fleet,
  type NodeFacts,
  type PolicyInput,
  type PoolSpec,
  type QuotaSpec,
} from '../../src/core/snapshot/index.ts';
import { acceleratorClass, policyInputOf, pool, quota } from '../../src/core/testing/world.ts';
import { blockLabel, cliqueLabel, gpusPerNode, model, zoneLabel } from './manifests.ts';

/** When every benchmark begins. */
export const start = Date.UTC(2026, 2, 2, 9);
export const minute = 60_000;
export const hour = 60 * minute;

/** Quotas that stand under one consortium. */
const membersOfConsortium = 20;

/** Names of the quotas in whose namespaces pods are, and the manifests that make them. */
export interface Institutions {
  readonly names: readonly string[];
  readonly quotas: readonly QuotaSpec[];
}

/**
 * `count` quotas in two levels: consortia of twenty less one members. Together they guarantee half of the devices; they
 * lend and borrow without limit.
 */
export function institutions(count: number, devices: number): Institutions {
  const names: string[] = [];
  const quotas: QuotaSpec[] = [];
  const each = Math.floor(devices / 2 / count);
  for (let i = 0; i < count; i++) {
    const parent = `consortium-${Math.floor(i / membersOfConsortium)}`;
    if (i % membersOfConsortium === 0) quotas.push(quota(parent, 0));
    else {
      const name = `institute-${i}`;
      names.push(name);
      quotas.push(quota(name, each, { parentName: parent }));
    }
  }
  return { names, quotas };
}

/** One pool of one class with three topology levels. */
export function policyOf(quotas: readonly QuotaSpec[], more: Partial<PoolSpec> = {}): PolicyInput {
  const only = acceleratorClass('h200', 1, {
    nodeSelector: [{ key: 'nvidia.com/gpu.product', operator: 'In', values: [model] }],
  });
  const national = pool({ classes: [only], topologyLevels: [zoneLabel, blockLabel, cliqueLabel], ...more });
  return policyInputOf({ pools: [national], quotas });
}

/** A fleet of idle nodes, as the operator has it once its first lists are read. */
export function fleetOf(policy: PolicyInput, nodes: readonly NodeFacts[]): Fleet {
  const fleet = new Fleet();
  fleet.setPolicy(policy);
  for (const node of nodes) fleet.upsertNode(node);
  fleet.snapshot(start);
  return fleet;
}

/** What the operator does with the events of a cycle applied: decide, and count as started what was admitted. */
export function cycle(fleet: Fleet, now: number, options: Partial<PlanOptions> = {}): Plan {
  const planned = plan(fleet.snapshot(now), now, { maxPods: Infinity, ...options });
  for (const { pods } of planned.admit) {
    for (const { pod, nodeName } of pods) fleet.assume(pod.uid, { nodeName, since: now });
  }
  return planned;
}

export function devicesOf(nodes: readonly NodeFacts[]): number {
  return nodes.length * gpusPerNode;
}

import { z } from 'zod';
import type { Frozen } from './frozen.ts';
import { atomicList, listMap } from './lists.ts';
import { duration, positiveDuration } from './durations.ts';
import { date } from './dates.ts';
import { count, factor, fraction, positiveQuantity, quantity } from './numbers.ts';
import { define, type Resource } from './resource.ts';
import { withRules } from './rule.ts';
import { labelSelector } from './selector.ts';
import { amount, intOrText, key, statusBase, total } from './status.ts';
import { boundedText, entryName, extendedResource, labelKey, reference, timeZone } from './texts.ts';

const acceleratorClass = z.object({
  name: entryName().describe('Name of the class, unique in the pool.'),
  vendor: boundedText(64).optional().describe('Who makes the device. For people only.'),
  resourceName: extendedResource()
    .prefault('nvidia.com/gpu')
    .describe('Extended resource that pods ask for and nodes offer.'),
  nodeSelector: labelSelector().describe(
    'Nodes whose devices of `resourceName` are of this class. Where several classes match, the first in the list has the device.',
  ),
  weight: positiveQuantity().describe('Normalized GPUs that one device is worth. The reference class weighs 1.'),
  powerWatts: count(1).optional().describe('Watts that one allocated device draws, for the power limits of sites.'),
});

const contribution = z.object({
  quotaName: reference().describe('ResearchQuota of the contributor.'),
  nodeSelector: labelSelector().describe('The nodes that it brought.'),
  retainedFraction: fraction()
    .prefault('1')
    .describe('Share of what it brought that raises its guarantee. The rest is public.'),
});

const site = z.object({
  name: entryName().describe('Name of the site, unique in the pool.'),
  nodeSelector: labelSelector().describe('Nodes that stand there.'),
  powerLimitKilowatts: quantity()
    .optional()
    .describe('Kilowatts that the allocated devices of the site may draw together. Absent: no limit.'),
});

const milestone = z.object({
  date: date().describe('Day by which the pool should have the devices.'),
  gpus: count(1).describe('Devices that should be ready by then.'),
});

const reclaim = z.object({
  minRuntime: duration()
    .prefault('15m')
    .describe('Time that a borrower may run before its capacity can be taken back.'),
  notice: duration().prefault('2m').describe('Time between the eviction of a pod and its kill.'),
});

const fairShare = z.object({
  halfLife: positiveDuration()
    .prefault('168h')
    .describe('Time after which past borrowing counts half when the order of borrowers is decided.'),
  historyWeight: factor()
    .prefault('1')
    .describe('How much past borrowing counts beside present borrowing. 0: not at all.'),
  preemption: z
    .enum(['Never', 'WhenImbalanced'])
    .prefault('Never')
    .describe('Whether a borrower may take capacity from another borrower that has a larger share.'),
});

const scheduling = z.object({
  placement: z
    .enum(['Pack', 'Spread'])
    .prefault('Pack')
    .describe('Pack fills nodes one after the other, so that whole nodes stay free. Spread uses the emptiest first.'),
  backfill: z
    .boolean()
    .prefault(true)
    .describe(
      'Blocked workloads get a reservation and later ones start only if they delay none. False: no reservations.',
    ),
  reclaim: reclaim.prefault({}).describe('How lent capacity is taken back.'),
  fairShare: fairShare.prefault({}).describe('In which order quotas may borrow.'),
});

const accounting = z.object({
  timeZone: timeZone().prefault('UTC').describe('Zone in which a bare date of a budget or term is a day.'),
  borrowedChargeFactor: factor()
    .prefault('1')
    .describe('Factor on GPU-hours that were borrowed. Below 1 makes borrowing cheaper than guaranteed use.'),
});

const topologyLevels = withRules(atomicList(labelKey(), 8), {
  cel: 'self.all(level, self.exists_one(other, other == level))',
  holds: (levels) => new Set(levels).size === levels.length,
  message: 'a level stands here twice: write each one once',
});

const spec = z.object({
  acceleratorClasses: listMap(acceleratorClass, 'name', 32)
    .min(1)
    .describe('Kinds of accelerator in the pool. At least one.'),
  contributions: listMap(contribution, 'quotaName', 100)
    .optional()
    .describe('Who brought which nodes outside of an investment, and what that buys.'),
  topologyLevels: topologyLevels
    .optional()
    .describe('Node labels that nest, widest first. The host is implied as the last level.'),
  sites: listMap(site, 'name', 64).optional().describe('Places with a power limit.'),
  isolate: z
    .boolean()
    .prefault(false)
    .describe("Keep the taint `moa.dev/pool` on the pool's nodes, so that only Moa places pods there."),
  publicFloor: fraction()
    .prefault('0')
    .describe('Share of the ready normalized capacity that entitlements may never take.'),
  scheduling: scheduling.prefault({}).describe('How workloads are placed, ordered and taken back.'),
  accounting: accounting.prefault({}).describe('How use is counted.'),
  milestones: listMap(milestone, 'date', 64).optional().describe('Targets of the build-up.'),
});

const status = z.object({
  ...statusBase,
  nodes: z
    .object({
      total: total().describe('Nodes that carry a device of a class of the pool.'),
      ready: total().describe('Those of them that are Ready, cordoned ones included.'),
    })
    .optional()
    .describe('Nodes of the pool.'),
  capacity: z
    .object({
      gpus: total().describe('Devices on all nodes that exist.'),
      normalizedGpus: amount().describe('The same in normalized GPUs.'),
      allocatedGpus: total().describe('Devices that pods hold, whoever placed them.'),
      freeGpus: total().describe('Devices that could be given to a pod now.'),
      guaranteed: amount().describe('Sum of the effective guarantees, in normalized GPUs.'),
      entitled: amount().describe('The part of them that contributions and investments bought.'),
      public: amount().describe('Normalized GPUs that no entitlement takes.'),
    })
    .optional()
    .describe('Capacity of the whole pool.'),
  classes: listMap(
    z.object({
      name: key().describe('Name of the class.'),
      nodes: total().describe('Nodes with devices of the class.'),
      gpus: total().describe('Devices on all nodes that exist.'),
      readyGpus: total().describe('Devices on Ready nodes.'),
      allocatedGpus: total().describe('Devices that pods hold.'),
      freeGpus: total().describe('Devices that could be given to a pod now.'),
      largestFreeNode: total().describe('Most devices that are free on one node: the largest pod that can start now.'),
    }),
    'name',
    32,
  )
    .optional()
    .describe('Devices by class.'),
  sites: listMap(
    z.object({
      name: key().describe('Name of the site.'),
      gpus: total().describe('Devices of the site.'),
      powerKilowatts: amount().describe('Kilowatts that its allocated devices draw. Idle draw is not modelled.'),
      powerLimitKilowatts: intOrText().optional().describe('Its limit, as in the spec.'),
    }),
    'name',
    64,
  )
    .optional()
    .describe('Devices and power by site.'),
  contributors: listMap(
    z.object({
      quotaName: key().describe('ResearchQuota of the contributor.'),
      gpus: total().describe('Devices that it brought and that exist.'),
      entitlement: amount().describe('What they add to its guarantee, in normalized GPUs.'),
    }),
    'quotaName',
    100,
  )
    .optional()
    .describe('What contributions bring and buy.'),
  milestones: listMap(
    z.object({
      date: key().describe('Day of the target.'),
      gpus: total().describe('Devices of the target.'),
      reached: z.boolean().describe('Whether as many are ready.'),
      progress: amount().describe('Ready devices / target, not above 1.'),
    }),
    'date',
    64,
  )
    .optional()
    .describe('How far the build-up is.'),
});

/** Which nodes form a pool, what their accelerators are worth and how they are shared. */
export const gpuPool = define({
  kind: 'GpuPool',
  description:
    'Nodes that are shared as one pool: what accelerator classes they carry, what a device of each is worth, who contributed them, how they are wired and what power a site may draw.',
  spec,
  status,
  columns: [
    { name: 'GPUs', type: 'integer', jsonPath: '.status.capacity.gpus', description: 'Devices in the pool.' },
    {
      name: 'Allocated',
      type: 'integer',
      jsonPath: '.status.capacity.allocatedGpus',
      description: 'Devices held by pods.',
    },
    {
      name: 'Free',
      type: 'integer',
      jsonPath: '.status.capacity.freeGpus',
      description: 'Devices that could be given now.',
    },
    {
      name: 'Normalized',
      type: 'string',
      jsonPath: '.status.capacity.normalizedGpus',
      description: 'Capacity in normalized GPUs.',
      priority: 1,
    },
    {
      name: 'Guaranteed',
      type: 'string',
      jsonPath: '.status.capacity.guaranteed',
      description: 'Sum of the effective guarantees, in normalized GPUs.',
      priority: 1,
    },
    { name: 'Nodes', type: 'integer', jsonPath: '.status.nodes.ready', description: 'Ready nodes.', priority: 1 },
    {
      name: 'Ready',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Ready")].status',
      description: 'Whether the spec is in force.',
    },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Time since creation.' },
  ],
});

export type GpuPoolSpec = Frozen<z.output<typeof spec>>;
export type GpuPoolStatus = Frozen<z.output<typeof status>>;
export type GpuPool = Resource<'GpuPool', GpuPoolSpec, GpuPoolStatus>;

import { setTimeout as sleep } from 'node:timers/promises';

import { isApiError } from '../../src/kube/index.ts';
import type { Manifest, Site } from './site.ts';

/** A claim for storage that waits for its first consumer, by the name of both its class and its volume. */
export interface Disk {
  readonly name: string;
  /** `kubernetes.io/no-provisioner` for volumes that are there. */
  readonly provisioner: string;
}

export function storageClassOf({ name, provisioner }: Disk): Manifest {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name },
    provisioner,
    volumeBindingMode: 'WaitForFirstConsumer',
  };
}

export function claimOf({ name }: Disk, claimName: string): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: claimName },
    spec: {
      storageClassName: name,
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
    },
  };
}

/** @param claimRef the claim that it is made for; undefined = it is free */
export function volumeOf({ name }: Disk, node: string, claimRef?: object): Manifest {
  const values = [node];
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: {
      storageClassName: name,
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      local: { path: '/mnt/data' },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values }] }],
        },
      },
      ...(claimRef === undefined ? {} : { claimRef }),
    },
  };
}

/** A claim as the API server shows it. */
export interface RawClaim {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly deletionTimestamp?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly status?: { readonly phase?: string };
}

/** A claim as it is; undefined where there is none. */
export async function claimAt({ transport }: Site, path: string): Promise<RawClaim | undefined> {
  return transport.request<RawClaim>({ method: 'GET', path }).catch((error: unknown) => {
    if (isApiError(error, 'NotFound')) return undefined;
    throw error;
  });
}

/** What a provisioner does: makes the volume once the claim says for which node. */
export async function provision(site: Site, { disk, path }: { disk: Disk; path: string }): Promise<void> {
  while (!site.isOver) {
    const claim = await claimAt(site, path);
    const node = claim?.metadata.annotations?.['volume.kubernetes.io/selected-node'];
    if (claim !== undefined && node !== undefined) {
      const { name, namespace, uid } = claim.metadata;
      const claimRef = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name, namespace, uid };
      await site.make('/api/v1/persistentvolumes', volumeOf(disk, node, claimRef));
      return;
    }
    await sleep(50);
  }
}

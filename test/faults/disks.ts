import type { Manifest } from './site.ts';

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

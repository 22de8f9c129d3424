import type { Holder, PodFacts } from '../../snapshot/index.ts';
import type { Obstacle } from './obstacle.ts';

const inUse: Obstacle = { text: 'an iSCSI or RBD disk of the pod in use by another pod' };

interface Users {
  readers: number;
  writers: number;
}

/**
 * Disks that pods name themselves, as the plugin VolumeRestrictions of kube-scheduler: pods of one node share a disk
 * only while all of them read.
 */
export class InlineDisks {
  readonly #taken = new Map<number, Map<string, Users>>();

  hold({ shape }: Holder, node: number, count: number): void {
    for (const { names, readOnly } of shape.constraints?.disks ?? []) {
      let disks = this.#taken.get(node);
      if (disks === undefined) this.#taken.set(node, (disks = new Map<string, Users>()));
      for (const name of names) {
        const users = disks.get(name) ?? { readers: 0, writers: 0 };
        if (readOnly) users.readers += count;
        else users.writers += count;
        if (users.readers === 0 && users.writers === 0) disks.delete(name);
        else disks.set(name, users);
      }
    }
  }

  obstacle({ shape }: PodFacts, node: number): Obstacle | undefined {
    for (const { names, readOnly } of shape.constraints?.disks ?? []) {
      for (const name of names) {
        const users = this.#taken.get(node)?.get(name);
        if (users !== undefined && (users.writers > 0 || !readOnly)) return inUse;
      }
    }
    return undefined;
  }
}

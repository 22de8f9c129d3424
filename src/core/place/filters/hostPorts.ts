import type { Holder, HostPort, PodFacts } from '../../snapshot/index.ts';
import type { Obstacle } from './obstacle.ts';

const everyAddress = '0.0.0.0';

/**
 * Ports of the hosts, as the plugin NodePorts of kube-scheduler: a port is taken per address and protocol, and one on
 * every address stands in the way of each. Costs O(ports of the pod); nothing is kept for nodes without any.
 */
export class HostPorts {
  /** For each node, by protocol and port, how many pods use which address. */
  readonly #taken = new Map<number, Map<string, Map<string, number>>>();
  readonly #obstacles = new Map<string, Obstacle>();

  hold({ shape }: Holder, node: number, count: number): void {
    for (const port of shape.constraints?.hostPorts ?? []) {
      let ports = this.#taken.get(node);
      if (ports === undefined) this.#taken.set(node, (ports = new Map<string, Map<string, number>>()));
      const key = keyOf(port);
      let addresses = ports.get(key);
      if (addresses === undefined) ports.set(key, (addresses = new Map<string, number>()));
      const users = (addresses.get(port.ip) ?? 0) + count;
      if (users !== 0) addresses.set(port.ip, users);
      else addresses.delete(port.ip);
      if (addresses.size === 0) ports.delete(key);
      if (ports.size === 0) this.#taken.delete(node);
    }
  }

  obstacle({ shape }: PodFacts, node: number): Obstacle | undefined {
    for (const port of shape.constraints?.hostPorts ?? []) {
      const key = keyOf(port);
      const addresses = this.#taken.get(node)?.get(key);
      if (addresses === undefined) continue;
      if (port.ip === everyAddress || addresses.has(everyAddress) || addresses.has(port.ip)) return this.#inUse(key);
    }
    return undefined;
  }

  #inUse(key: string): Obstacle {
    let obstacle = this.#obstacles.get(key);
    if (obstacle === undefined)
      this.#obstacles.set(key, (obstacle = { text: `host port ${key} in use by other pods` }));
    return obstacle;
  }
}

function keyOf({ port, protocol }: HostPort): string {
  return `${port}/${protocol}`;
}

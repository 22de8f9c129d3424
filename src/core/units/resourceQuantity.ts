const suffixes: Readonly<Record<string, number>> = {
  '': 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/**
 * Reads a Kubernetes resource quantity (`500m`, `2Gi`, `1e3`, `8`) in the resource's counting unit: thousandths for
 * `cpu`, whole units (bytes, devices) for everything else. Rounds up, as the scheduler of Kubernetes does, so that a
 * request is never taken for less than it is. Undefined when malformed.
 */
export function parseResourceQuantity(resource: string, quantity: string | number): number | undefined {
  const match = /^([+-]?(?:\d+(?:\.\d*)?|\.\d+))(?:[eE]([+-]?\d+)|(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei))?$/.exec(
    String(quantity),
  );
  if (match === null) return undefined;
  const factor = match[2] === undefined ? suffixes[match[3] ?? ''] : 10 ** Number(match[2]);
  const units = Number(match[1]) * (factor ?? 1) * (resource === 'cpu' ? 1000 : 1);
  // 0.1 * 1000 and the like land a hair above the whole number: that is not a unit more.
  const nearest = Math.round(units);
  return Math.abs(units - nearest) <= 1e-6 * Math.max(1, Math.abs(units)) * 1e-3 ? nearest : Math.ceil(units);
}

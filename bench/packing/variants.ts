import type { OpenbNode, OpenbPod } from '../../src/sim/traces/index.ts';

/** A trace made from another by changing what it is made up of. */
export interface Variant {
  readonly name: string;
  readonly meaning: string;
  of(trace: Trace, random: () => number): readonly OpenbPod[];
}

export interface Trace {
  readonly nodes: readonly OpenbNode[];
  readonly pods: readonly OpenbPod[];
}

const needsDevices = ({ gpus }: OpenbPod): boolean => gpus > 0;
const isFraction = ({ gpus, gpuMilli }: OpenbPod): boolean => gpus === 1 && gpuMilli < 1000;

/** Other shares of fractions, of gangs of whole devices and of pods that insist on a model; `trace` is unchanged. */
export const variants: readonly Variant[] = [
  { name: 'trace', meaning: 'the trace as it is', of: ({ pods }) => pods },
  ...[0, 40, 60, 80, 100].map((percent): Variant => {
    const meaning = `${percent} % of the pods with devices ask for a part of one`;
    return { name: `share${percent}`, meaning, of: ({ pods }, random) => withFractions(pods, percent / 100, random) };
  }),
  ...[20, 30, 50].map((percent): Variant => {
    const meaning = `${percent} % of the devices are asked for by pods with several`;
    return { name: `multi${percent}`, meaning, of: ({ pods }, random) => withSeveral(pods, percent / 100, random) };
  }),
  ...[10, 33, 50].map((percent): Variant => {
    const meaning = `${percent} % of the pods with devices insist on a model`;
    return { name: `spec${percent}`, meaning, of: (trace, random) => withModels(trace, percent / 100, random) };
  }),
];

function withFractions(pods: readonly OpenbPod[], share: number, random: () => number): OpenbPod[] {
  const fractions = pods.filter(isFraction);
  const wholes = pods.filter((pod) => needsDevices(pod) && !isFraction(pod));
  const wanted = Math.round((fractions.length + wholes.length) * share);
  return [
    ...pods.filter((pod) => !needsDevices(pod)),
    ...drawn(fractions, random, (_, count) => count < wanted),
    ...drawn(wholes, random, (_, count) => count < fractions.length + wholes.length - wanted),
  ];
}

function withSeveral(pods: readonly OpenbPod[], share: number, random: () => number): OpenbPod[] {
  const devices = pods.reduce((sum, { gpus, gpuMilli }) => sum + gpus * gpuMilli, 0);
  const several = pods.filter(({ gpus }) => gpus > 1);
  const others = pods.filter(({ gpus }) => gpus === 1);
  return [
    ...pods.filter((pod) => !needsDevices(pod)),
    ...drawn(several, random, (milli) => milli < devices * share),
    ...drawn(others, random, (milli) => milli < devices * (1 - share)),
  ];
}

/** Models are asked for in proportion to their devices, by pods that one of their nodes could hold. */
function withModels({ nodes, pods }: Trace, share: number, random: () => number): OpenbPod[] {
  const byDevice = nodes.flatMap((node) => new Array<OpenbNode>(node.gpus).fill(node));
  const holds = (node: OpenbNode, pod: OpenbPod) =>
    node.gpus >= pod.gpus && node.cpuMilli >= pod.cpuMilli && node.memoryMib >= pod.memoryMib;
  return pods.map((pod) => {
    if (!needsDevices(pod) || random() >= share) return pod;
    const fitting = byDevice.filter((node) => holds(node, pod));
    const node = fitting[Math.floor(random() * fitting.length)];
    return node === undefined ? pod : { ...pod, models: [node.model] };
  });
}

/** Pods drawn with replacement while `more` says so, told the milli-devices and the pods drawn so far. */
function drawn(
  from: readonly OpenbPod[],
  random: () => number,
  more: (milli: number, count: number) => boolean,
): OpenbPod[] {
  const pods: OpenbPod[] = [];
  let milli = 0;
  while (from.length > 0 && more(milli, pods.length)) {
    const pod = from[Math.floor(random() * from.length)]!;
    pods.push(pod);
    milli += pod.gpus * pod.gpuMilli;
  }
  return pods;
}

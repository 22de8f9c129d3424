import type { PodFacts } from '../../snapshot/index.ts';
import type { Constraints } from './constraints.ts';
import type { Obstacle } from './obstacle.ts';
import { podsText } from './obstacle.ts';

/**
 * Which of a pod's constraints stand in the way on these nodes, which have room for it, as a part of a sentence;
 * undefined = none does. Cost: O(nodes).
 */
export function explainObstacles(constraints: Constraints, pod: PodFacts, nodes: Iterable<number>): string | undefined {
  const counts = new Map<Obstacle, number>();
  let all = 0;
  let barred = 0;
  for (const node of nodes) {
    all++;
    const obstacle = constraints.obstacle(pod, node);
    if (obstacle === undefined) continue;
    barred++;
    counts.set(obstacle, (counts.get(obstacle) ?? 0) + 1);
  }
  if (barred === 0) return togetherText(pod);
  const causes = [...counts].sort(([, a], [, b]) => b - a);
  const [first] = causes;
  if (barred === all && causes.length === 1 && first !== undefined) return `${first[0].text} leaves no node`;
  const texts = causes.slice(0, 3).map(([{ text }, count]) => `${text} rules out ${count} of ${all} nodes with room`);
  return texts.join('; ');
}

/** For a gang whose pods could each go somewhere, but not all at once. */
function togetherText({ shape: { constraints } }: PodFacts): string | undefined {
  if (constraints === undefined) return undefined;
  const { hostPorts, affinity, antiAffinity, spread, claims } = constraints;
  const texts = [
    ...antiAffinity.map((term) => `anti-affinity to ${podsText(term.selector)} by ${term.topologyKey}`),
    ...affinity.map((term) => `affinity to ${podsText(term.selector)} by ${term.topologyKey}`),
    ...spread.map(({ topologyKey }) => `topology spread by ${topologyKey}`),
    ...(hostPorts.length > 0 ? ['host ports'] : []),
    ...(claims ? ['volume claims'] : []),
  ];
  return `the pods cannot all be placed at once with their ${texts.join(', ')}`;
}

/** Annotations by which an object tells KWOK how to behave. */
export const simulation = {
  /**
   * On a pod: how long it runs, as a Go duration (`90s`, `1h30m`); read when it starts. Without it a pod runs until it is
   * deleted.
   */
  duration: 'kwok.moa.dev/duration',
  /** On a pod that has a duration: `Failed` ends it with exit code 1. Anything else: it succeeds. */
  outcome: 'kwok.moa.dev/outcome',
  /** On a node: `true` makes it NotReady within a second; removing it makes it Ready again. */
  notReady: 'kwok.moa.dev/not-ready',
} as const;

/** The jq expression of an annotation's value. */
export function annotation(name: string): string {
  return `.metadata.annotations["${name}"]`;
}

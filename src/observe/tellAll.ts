/** Tells several observers; those that are undefined are left out. */
export function tellAll<T>(
  ...observers: readonly (((observation: T) => void) | undefined)[]
): (observation: T) => void {
  const present = observers.filter((observer) => observer !== undefined);
  return (observation) => {
    for (const observer of present) observer(observation);
  };
}

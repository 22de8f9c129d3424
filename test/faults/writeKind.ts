import type { SeenRequest } from './proxy.ts';

/** Every kind of write that the operator makes while it leads, in the words of the report. */
export const writeKinds = [
  'mark that shows how old the view is',
  'binding',
  'reason to wait on a pod',
  'eviction mark',
  'deletion',
  'event',
  'status of a GpuPool',
  'status of a ResearchQuota',
  'status of a MatchingInvestment',
  'taint',
  'reservation of a volume',
  'request for a volume',
] as const;
export type WriteKind = (typeof writeKinds)[number];

const byPath: readonly (readonly [RegExp, WriteKind])[] = [
  [/^\/api\/v1\/namespaces\/[^/]+\/pods\/[^/]+\/binding$/, 'binding'],
  [/^\/apis\/events\.k8s\.io\/v1\/namespaces\/[^/]+\/events/, 'event'],
  [/\/gpupools\/[^/]+\/status$/, 'status of a GpuPool'],
  [/\/researchquotas\/[^/]+\/status$/, 'status of a ResearchQuota'],
  [/\/matchinginvestments\/[^/]+\/status$/, 'status of a MatchingInvestment'],
  [/^\/api\/v1\/nodes\/[^/]+$/, 'taint'],
  [/^\/api\/v1\/persistentvolumes\/[^/]+$/, 'reservation of a volume'],
  [/\/persistentvolumeclaims\/[^/]+$/, 'request for a volume'],
];

/** @throws Error for a write of which the list above does not know */
export function writeKindOf({ method, path, body }: SeenRequest): WriteKind {
  const isPod = /^\/api\/v1\/namespaces\/[^/]+\/pods\/[^/]+$/.test(path.replace(/\/status$/, ''));
  if (isPod && method === 'DELETE') return 'deletion';
  if (isPod && path.endsWith('/status')) {
    if (body.includes('"DisruptionTarget"')) return 'eviction mark';
    return body.includes('"lastProbeTime"') ? 'mark that shows how old the view is' : 'reason to wait on a pod';
  }
  const known = byPath.find(([pattern]) => pattern.test(path));
  if (known === undefined) throw new Error(`a write of no known kind: ${method} ${path}`);
  return known[1];
}

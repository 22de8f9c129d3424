/**
 * A Kubernetes MicroTime: RFC 3339 with exactly six fractional digits. With three, as `toISOString` writes them, the
 * server refuses Leases and Events.
 */
export function microTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('Z', '000Z');
}

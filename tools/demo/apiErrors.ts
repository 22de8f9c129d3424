/** How often the API server refused the operator, or did not answer. */
export interface ApiErrors {
  /** Requests in all. */
  readonly requests: number;
  /** Conflict: an object had changed meanwhile, which a controller expects and tries again. */
  readonly conflicts: number;
  /** NotFound: an object had gone meanwhile. */
  readonly notFound: number;
  /** Everything else by its code: HTTP status, `Network`, `Timeout`. */
  readonly errors: Readonly<Record<string, number>>;
}

const sample = /^moa_api_requests_total\{(?<labels>[^}]*)\} (?<count>[\d.e+]+)/;

/** Reads `moa_api_requests_total` out of what `/metrics` serves. A request that we aborted ourselves is no error. */
export function apiErrorsOf(exposition: string): ApiErrors {
  const byCode = new Map<string, number>();
  for (const line of exposition.split('\n')) {
    const { labels, count } = sample.exec(line)?.groups ?? {};
    const code = /(?:^|,)code="([^"]*)"/.exec(labels ?? '')?.[1];
    if (code !== undefined) byCode.set(code, (byCode.get(code) ?? 0) + Number(count));
  }
  const errors = [...byCode].filter(([code]) => isError(code) && code !== '409' && code !== '404');
  return {
    requests: [...byCode.values()].reduce((sum, count) => sum + count, 0),
    conflicts: byCode.get('409') ?? 0,
    notFound: byCode.get('404') ?? 0,
    errors: Object.fromEntries(errors),
  };
}

function isError(code: string): boolean {
  return /^\d+$/.test(code) ? Number(code) >= 400 : code !== 'Aborted' && code !== 'OK';
}

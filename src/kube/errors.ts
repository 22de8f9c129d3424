/** What a Kubernetes `Status` says about the object and the fields it refuses. */
export interface ApiErrorDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[];
  readonly retryAfterSeconds?: number;
}

/** Codes of an `ApiError` that come from this side, where the server gave no reason of its own. */
type LocalErrorCode =
  /** The connection could not be made, or broke. The server may or may not have acted. */
  | 'Network'
  /** No answer in time. The server may or may not have acted. */
  | 'Timeout'
  /** The credentials of the kubeconfig could not be obtained: a file is missing, a plugin failed. */
  | 'Credentials'
  /** The answer is not what the API speaks: often a proxy in between. */
  | 'InvalidResponse';

/** A request that the API server refused or that did not reach it. */
export class ApiError extends Error {
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /**
   * The reason of the server's `Status`, such as `Conflict` or `NotFound`; or Network, Timeout, Credentials,
   * InvalidResponse.
   */
  readonly code: string;
  /** Whether the very same request may succeed later. A `Conflict` is not: the object has to be read again first. */
  readonly retryable: boolean;
  /** How long the server asked us to stay away. */
  readonly retryAfterMs: number | undefined;
  readonly details: ApiErrorDetails | undefined;

  constructor(
    message: string,
    facts: {
      status: number;
      code: string;
      retryable: boolean;
      retryAfterMs?: number | undefined;
      details?: ApiErrorDetails | undefined;
      cause?: unknown;
    },
  ) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = 'ApiError';
    this.status = facts.status;
    this.code = facts.code;
    this.retryable = facts.retryable;
    this.retryAfterMs = facts.retryAfterMs;
    this.details = facts.details;
  }
}

/** The shape of the API's `Status`, as far as it is used here. Every field may be missing. */
export interface StatusBody {
  readonly kind?: string;
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: ApiErrorDetails;
}

const retryableStatuses: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** Reasons for answers without a `Status`, from a proxy in between for instance. */
const reasonOfStatus: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

/**
 * The error that a `Status` stands for, whether it came as an HTTP answer or within a watch.
 *
 * @param subject what was asked, for the message: `GET /api/v1/pods`
 * @param retryAfterMs from the Retry-After header; the one in the body is used where there is none
 */
export function errorFromStatus(subject: string, status: number, body: StatusBody, retryAfterMs?: number): ApiError {
  const code = body.reason === undefined || body.reason === '' ? (reasonOfStatus[status] ?? 'Unknown') : body.reason;
  const seconds = body.details?.retryAfterSeconds;
  return new ApiError(`${subject}: ${status} ${code}: ${body.message ?? 'no message'}`, {
    status,
    code,
    retryable: retryableStatuses.has(status),
    retryAfterMs: retryAfterMs ?? (seconds === undefined ? undefined : seconds * 1000),
    details: body.details,
  });
}

/** The error for what went wrong on this side, or on the way. All of it may pass, so all of it is retryable. */
export function localError(code: LocalErrorCode, message: string, cause?: unknown): ApiError {
  return new ApiError(message, { status: 0, code, retryable: true, cause });
}

/** Whether the error is the API's answer with one of these reasons, such as `NotFound`. */
export function isApiError(error: unknown, ...codes: readonly string[]): error is ApiError {
  return error instanceof ApiError && (codes.length === 0 || codes.includes(error.code));
}

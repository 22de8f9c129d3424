/**
 * The course of a reflector as a pure state machine. The driver does what the actions say and feeds back what happened;
 * every decision about what comes next is here.
 *
 *     empty -> streaming ---bookmark--> watching <-> waiting
 *       |          |                      ^  |         |
 *       |     unsupported                 |  | 410     |
 *       +------> paging -----last page----+  +--> streaming or paging
 *
 * A list arrives either as a watch that starts with all objects (streaming) or page by page. It is staged while it
 * arrives and committed at once when it is complete, so that the store never shows half a list.
 */

/** What every state remembers. */
interface Memory {
  /** Failures since a watch last showed life. It sets the back-off. */
  readonly failures: number;
  /** Whether the server has said that it cannot list by streaming. */
  readonly streamingUnsupported: boolean;
}

export type ReflectorState = Memory &
  (
    | { readonly phase: 'empty' }
    /** Initial objects arrive on a watch. */
    | { readonly phase: 'streaming' }
    /** Pages arrive. The version is that of the first page; undefined before. */
    | { readonly phase: 'paging'; readonly resourceVersion: string | undefined }
    /** The store is complete and follows the server. The version is that of the last thing seen. */
    | { readonly phase: 'watching'; readonly resourceVersion: string }
    /** Backing off; afterwards it watches from the version or, where that is undefined, lists. */
    | { readonly phase: 'waiting'; readonly resourceVersion: string | undefined }
  );

export const initialState: ReflectorState = { phase: 'empty', failures: 0, streamingUnsupported: false };

/** What happened. `O` is the driver's own representation of an object. */
export type ReflectorInput<O> =
  | { readonly type: 'started' }
  /** A watch tells of an object that is now so. */
  | { readonly type: 'present'; readonly resourceVersion: string; readonly object: O }
  /** A watch tells of an object that is no more. */
  | { readonly type: 'gone'; readonly resourceVersion: string; readonly object: O }
  | { readonly type: 'bookmark'; readonly resourceVersion: string; readonly initialEventsEnd: boolean }
  /** One page of a list; `continueToken` is undefined on the last. */
  | {
      readonly type: 'page';
      readonly resourceVersion: string;
      readonly continueToken: string | undefined;
      readonly objects: readonly O[];
    }
  /** The server ended the watch in order. */
  | { readonly type: 'ended'; readonly lastedMs: number }
  /** The request was refused, the stream broke, or an error came within it. `status` is 0 where there was no answer. */
  | {
      readonly type: 'failed';
      readonly status: number;
      readonly code: string;
      readonly retryAfterMs?: number | undefined;
    }
  /** The back-off is over. */
  | { readonly type: 'waited' };

/**
 * What to do, in order. `stage`, `unstage` and `discard` are about the list under construction, `commit` makes it the
 * store's content, `upsert` and `delete` are about the store.
 */
export type ReflectorAction<O> =
  | { readonly do: 'stage'; readonly object: O }
  | { readonly do: 'unstage'; readonly object: O }
  | { readonly do: 'discard' }
  | { readonly do: 'commit' }
  | { readonly do: 'upsert'; readonly object: O }
  | { readonly do: 'delete'; readonly object: O }
  | Undertaking;

/** An action that takes time. A step asks for one at most; it takes the place of the one under way. */
export type Undertaking =
  | { readonly do: 'streamList' }
  | { readonly do: 'listPage'; readonly continueToken: string | undefined }
  | { readonly do: 'watch'; readonly resourceVersion: string }
  /** Back off as is due after so many failures, and for `atLeastMs`. */
  | { readonly do: 'wait'; readonly failures: number; readonly atLeastMs: number };

export interface ReflectorStep<O> {
  readonly state: ReflectorState;
  readonly actions: readonly ReflectorAction<O>[];
}

/** A watch that ends sooner, though in order, counts as failed: else a server that ends each at once is hammered. */
const shortestWatchMs = 1_000;
/** After so many failures in a row the other way is tried: pages instead of a stream, a list instead of a watch. */
const patience = 3;
/** What a server answers that does not know, or does not allow, a list by streaming. */
const unsupportedStatuses: ReadonlySet<number> = new Set([400, 405, 406, 415, 422, 501]);

/** One step. An input that makes no sense in the state changes nothing. */
export function step<O>(state: ReflectorState, input: ReflectorInput<O>): ReflectorStep<O> {
  switch (input.type) {
    case 'started':
      return state.phase === 'empty' ? list(state) : unchanged(state);
    case 'present':
      if (state.phase === 'streaming') return { state, actions: [{ do: 'stage', object: input.object }] };
      if (state.phase !== 'watching') return unchanged(state);
      return { state: alive(state, input.resourceVersion), actions: [{ do: 'upsert', object: input.object }] };
    case 'gone':
      if (state.phase === 'streaming') return { state, actions: [{ do: 'unstage', object: input.object }] };
      if (state.phase !== 'watching') return unchanged(state);
      return { state: alive(state, input.resourceVersion), actions: [{ do: 'delete', object: input.object }] };
    case 'bookmark':
      if (state.phase === 'watching') return { state: alive(state, input.resourceVersion), actions: [] };
      if (state.phase !== 'streaming' || !input.initialEventsEnd) return unchanged(state);
      return {
        // The failures stay: a list alone does not prove that watches work.
        state: { ...memory(state), phase: 'watching', resourceVersion: input.resourceVersion },
        actions: [{ do: 'commit' }],
      };
    case 'page':
      return state.phase === 'paging' ? takePage(state, input) : unchanged(state);
    case 'ended':
      return afterEnd(state, input.lastedMs);
    case 'failed':
      return afterFailure(state, input);
    case 'waited':
      if (state.phase !== 'waiting') return unchanged(state);
      return state.resourceVersion === undefined ? list(state) : watch(memory(state), state.resourceVersion);
  }
}

function takePage<O>(
  state: ReflectorState & { phase: 'paging' },
  page: ReflectorInput<O> & { type: 'page' },
): ReflectorStep<O> {
  const resourceVersion = state.resourceVersion ?? page.resourceVersion;
  const staged = page.objects.map((object) => ({ do: 'stage', object }) as const);
  if (page.continueToken !== undefined) {
    const next = { do: 'listPage', continueToken: page.continueToken } as const;
    return { state: { ...state, resourceVersion }, actions: [...staged, next] };
  }
  const { state: next, actions } = watch<O>(memory(state), resourceVersion);
  return { state: next, actions: [...staged, { do: 'commit' }, ...actions] };
}

function afterEnd<O>(state: ReflectorState, lastedMs: number): ReflectorStep<O> {
  if (state.phase === 'watching' && lastedMs >= shortestWatchMs) {
    return watch({ ...memory(state), failures: 0 }, state.resourceVersion);
  }
  // A stream that ends before its list does, or a watch that ends at once.
  return afterFailure(state, { type: 'failed', status: 0, code: 'Ended' });
}

function afterFailure<O>(state: ReflectorState, failure: ReflectorInput<O> & { type: 'failed' }): ReflectorStep<O> {
  const failures = state.failures + 1;
  switch (state.phase) {
    case 'empty':
    case 'waiting':
      return unchanged(state);
    case 'streaming': {
      const streamingUnsupported = state.streamingUnsupported || unsupportedStatuses.has(failure.status);
      const discard = { do: 'discard' } as const;
      if (streamingUnsupported) {
        const { state: next, actions } = list<O>({ ...memory(state), streamingUnsupported });
        return { state: next, actions: [discard, ...actions] };
      }
      return backOff({ ...memory(state), failures }, { failure, before: [discard] });
    }
    case 'paging':
      return backOff({ ...memory(state), failures }, { failure, before: [{ do: 'discard' }] });
    case 'watching': {
      const next = { ...memory(state), failures };
      // Versions are forgotten by the server after some minutes, so one such answer is no reason to wait. A second
      // without a sign of life in between is.
      if (isExpired(failure)) return state.failures === 0 ? list(next) : backOff(next, { failure });
      // A watch that goes on failing may have a version that this server does not know, after a restore for instance.
      const resourceVersion = failures >= patience ? undefined : state.resourceVersion;
      return backOff(next, { failure, resourceVersion });
    }
  }
}

function list<O>(from: Memory): ReflectorStep<O> {
  if (from.streamingUnsupported || from.failures >= patience) {
    return {
      state: { ...memory(from), phase: 'paging', resourceVersion: undefined },
      actions: [{ do: 'listPage', continueToken: undefined }],
    };
  }
  return { state: { ...memory(from), phase: 'streaming' }, actions: [{ do: 'streamList' }] };
}

function watch<O>(from: Memory, resourceVersion: string): ReflectorStep<O> {
  return { state: { ...from, phase: 'watching', resourceVersion }, actions: [{ do: 'watch', resourceVersion }] };
}

/** @param then.resourceVersion where to watch from afterwards; undefined to list again */
function backOff<O>(
  from: Memory,
  then: {
    failure: ReflectorInput<O> & { type: 'failed' };
    resourceVersion?: string | undefined;
    before?: readonly ReflectorAction<O>[];
  },
): ReflectorStep<O> {
  // To ask a server that is not there costs it nothing: it is to be found soon after it is back.
  const failures = then.failure.status === 0 ? Math.min(from.failures, patience) : from.failures;
  const wait = { do: 'wait', failures, atLeastMs: then.failure.retryAfterMs ?? 0 } as const;
  return {
    state: { ...from, phase: 'waiting', resourceVersion: then.resourceVersion },
    actions: [...(then.before ?? []), wait],
  };
}

/** The watch tells something: whatever failed before is over. */
function alive(state: ReflectorState & { phase: 'watching' }, resourceVersion: string): ReflectorState {
  return { ...state, failures: 0, resourceVersion };
}

function memory({ failures, streamingUnsupported }: Memory): Memory {
  return { failures, streamingUnsupported };
}

function unchanged<O>(state: ReflectorState): ReflectorStep<O> {
  return { state, actions: [] };
}

/** The version asked for is no longer known. Servers say it as a status, before or within the stream. */
function isExpired(failure: { status: number; code: string }): boolean {
  return failure.status === 410 || failure.code === 'Expired' || failure.code === 'Gone';
}

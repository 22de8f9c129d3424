import { collectionPath, type Problem } from '../../src/api/v1alpha1/index.ts';
import { isApiError, type Transport } from '../../src/kube/index.ts';
import type { Manifest } from './manifests.ts';

/** What the API server says to a manifest: the object it would store, or what it refuses in it. */
export type Verdict =
  { readonly ok: true; readonly object: Manifest } | { readonly ok: false; readonly problems: readonly Problem[] };

/** Asks the API server for its verdict on creating the manifest; nothing is stored. */
export function tryCreate(transport: Transport, manifest: Manifest): Promise<Verdict> {
  return verdictOf(
    transport.request({
      method: 'POST',
      path: collectionPath(manifest.kind),
      // Unknown fields are dropped without a word, as for an old client: kubectl asks for Strict of its own accord.
      query: { dryRun: 'All', fieldValidation: 'Ignore' },
      body: manifest,
    }),
  );
}

/** Asks the API server for its verdict on replacing a stored object with the manifest; nothing is stored. */
export function tryReplace(transport: Transport, manifest: Manifest): Promise<Verdict> {
  return verdictOf(
    transport.request({
      method: 'PUT',
      path: `${collectionPath(manifest.kind)}/${manifest.metadata.name}`,
      query: { dryRun: 'All' },
      body: manifest,
    }),
  );
}

async function verdictOf(answer: Promise<Manifest>): Promise<Verdict> {
  try {
    return { ok: true, object: await answer };
  } catch (error) {
    if (!isApiError(error, 'Invalid')) throw error;
    const problems = (error.details?.causes ?? [])
      .filter(({ field }) => field !== '<nil>')
      .map(({ field = '', message = '' }) => ({ path: field, message }));
    return { ok: false, problems };
  }
}

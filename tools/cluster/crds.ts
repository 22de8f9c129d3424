import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { loadAll } from 'js-yaml';

import { applyPatch, type Transport } from '../../src/kube/index.ts';

interface CustomResourceDefinition {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

const ownCrds = fileURLToPath(new URL('../../crds', import.meta.url));
const establishedSeconds = 30;
const pollMilliseconds = 50;

/**
 * Applies every YAML file of a directory of CustomResourceDefinitions, and waits until the API server serves them.
 *
 * @param directory default: `crds/` of this checkout
 * @throws Error when one is not served after half a minute; ApiError when one is refused.
 */
export async function applyCrds(transport: Transport, directory = ownCrds): Promise<void> {
  const files = readdirSync(directory).filter((name) => /\.ya?ml$/.test(name));
  const crds = files.flatMap(
    (name) => loadAll(readFileSync(join(directory, name), 'utf8')) as CustomResourceDefinition[],
  );
  await Promise.all(crds.map((crd) => applyCrd(transport, crd)));
}

async function applyCrd(transport: Transport, crd: CustomResourceDefinition): Promise<void> {
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}`;
  const query = { fieldManager: 'moa-tools', force: 'true' };
  await transport.request({ method: 'PATCH', path, query, contentType: applyPatch, body: crd });
  const deadline = Date.now() + establishedSeconds * 1000;
  while (Date.now() < deadline) {
    const { status } = await transport.request<CustomResourceDefinition>({ method: 'GET', path });
    if (status?.conditions?.some((item) => item.type === 'Established' && item.status === 'True') === true) return;
    await sleep(pollMilliseconds);
  }
  throw new Error(`${crd.metadata.name} is not served after ${establishedSeconds} s`);
}

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { load } from 'js-yaml';

import type { KubeObject } from '../support/index.ts';

const folder = fileURLToPath(new URL('../../config/samples', import.meta.url));

/** The manifests of config/samples: a national pool, a consortium, a university, a company and what it invested. */
export const samples: readonly KubeObject[] = readdirSync(folder)
  .toSorted()
  .map((file) => load(readFileSync(`${folder}/${file}`, 'utf8')) as KubeObject);

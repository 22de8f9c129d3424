import { definitions, resources } from '../../src/api/v1alpha1/index.ts';
import { renderConfigurationReference } from '../../src/config/index.ts';
import { renderMetricsReference } from '../../src/observe/index.ts';
import { crdOf } from './crd.ts';
import type { Generated } from './generated.ts';
import { yamlDocument } from './yaml.ts';

const crds = Object.values(definitions).map((definition): Generated => ({
  path: `crds/${resources[definition.kind].plural}.yaml`,
  render: () => yamlDocument(crdOf(definition)),
}));

/** Everything that `npm run generate` writes. A further page is one more entry. */
export const outputs: readonly Generated[] = [
  ...crds,
  { path: 'docs/reference/metrics.md', render: renderMetricsReference },
  { path: 'docs/reference/configuration.md', render: renderConfigurationReference },
];

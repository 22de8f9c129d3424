import { definitions, resources } from '../../src/api/v1alpha1/index.ts';
import { renderConfigurationReference } from '../../src/config/index.ts';
import { renderMetricsReference } from '../../src/observe/index.ts';
import { badInputPage } from './badInputTable.ts';
import { chartOutputs } from './chart.ts';
import { crdOf } from './crd.ts';
import type { Generated } from './generated.ts';
import { observabilityOutputs } from './observability/index.ts';
import { readmeOutputs } from './readme.ts';
import { resourcePage } from './resourcePage.ts';
import { conditionsPage, eventsPage, keysPage, reasonsPage } from './tokenPages.ts';
import { yamlDocument } from './yaml.ts';

const ofResources = Object.values(definitions).flatMap((definition): readonly Generated[] => [
  {
    path: `crds/${resources[definition.kind].plural}.yaml`,
    render: () => yamlDocument(crdOf(definition)),
  },
  {
    path: `docs/reference/${resources[definition.kind].singular}.md`,
    render: () => resourcePage(definition),
  },
]);

/** Everything that `npm run generate` writes. A further page is one more entry. */
export const outputs: readonly Generated[] = [
  ...ofResources,
  { path: 'docs/reference/reasons.md', render: reasonsPage },
  { path: 'docs/reference/conditions.md', render: conditionsPage },
  { path: 'docs/reference/events.md', render: eventsPage },
  { path: 'docs/reference/labels-and-annotations.md', render: keysPage },
  { path: 'docs/reference/bad-input.md', render: badInputPage },
  { path: 'docs/reference/metrics.md', render: renderMetricsReference },
  { path: 'docs/reference/configuration.md', render: renderConfigurationReference },
  ...chartOutputs(),
  ...observabilityOutputs,
  ...readmeOutputs(),
];

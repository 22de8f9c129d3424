import { z } from 'zod';
import type { Frozen } from './frozen.ts';
import { atomicList } from './lists.ts';
import { formCel, withRules } from './rule.ts';
import { labelKey, labelKeyForm, labelValue, maxLabelKeyLength } from './texts.ts';

const requirement = withRules(
  z.object({
    key: labelKey().describe('Key of the label.'),
    operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']).describe('How the label is compared with `values`.'),
    values: atomicList(labelValue(), 32).optional().describe('For In and NotIn: at least one. For the others: none.'),
  }),
  {
    cel: "self.operator in ['In', 'NotIn'] ? has(self.values) && size(self.values) > 0 : !has(self.values) || size(self.values) == 0",
    holds: ({ operator, values = [] }) => (operator === 'In' || operator === 'NotIn') === values.length > 0,
    message: 'operators In and NotIn need values; Exists and DoesNotExist take none',
    at: 'values',
  },
);

const maxLabels = 16;

const boundedLabels = z
  .record(z.string(), labelValue())
  .refine((labels) => Object.keys(labels).length <= maxLabels, { error: `write at most ${maxLabels} labels` })
  .meta({ maxProperties: maxLabels });

const matchLabels = withRules(boundedLabels, {
  cel: `self.all(key, size(key) <= ${maxLabelKeyLength} && ${formCel('key', [labelKeyForm])})`,
  holds: (self) => Object.keys(self).every((key) => key.length <= maxLabelKeyLength && labelKeyForm.test(key)),
  message: 'every key must be the key of a label, such as "topology.kubernetes.io/zone"',
});

/**
 * A label selector as Kubernetes has it, except that an empty one is refused: in Kubernetes it selects everything,
 * which here would be a whole cluster taken by mistake.
 */
export function labelSelector() {
  return withRules(
    z
      .object({
        matchLabels: matchLabels.optional().describe('Labels that must have exactly these values.'),
        matchExpressions: atomicList(requirement, 8).optional().describe('Further requirements; all must hold.'),
      })
      .meta({ 'x-kubernetes-map-type': 'atomic' }),
    {
      cel: '(has(self.matchLabels) && size(self.matchLabels) > 0) || (has(self.matchExpressions) && size(self.matchExpressions) > 0)',
      holds: ({ matchLabels = {}, matchExpressions = [] }) =>
        Object.keys(matchLabels).length + matchExpressions.length > 0,
      message: 'an empty selector would select everything: write matchLabels or matchExpressions',
    },
  );
}

/** A label selector as written in a manifest; never empty. */
export type LabelSelector = Frozen<z.output<ReturnType<typeof labelSelector>>>;

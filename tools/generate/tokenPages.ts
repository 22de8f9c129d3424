import {
  annotations,
  conditionReasons,
  conditions,
  events,
  foreignKeys,
  labels,
  waitReasons,
  type ConditionDoc,
  type ConditionReason,
  type KeyDoc,
} from '../../src/api/v1alpha1/index.ts';
import { code, table } from './markdown.ts';
import { markdownPage } from './yaml.ts';

/** docs/reference/reasons.md: why a workload waits. */
export function reasonsPage(): string {
  return markdownPage([
    '# Why a workload waits',
    '',
    'A pod that waits carries one of these tokens in the message of its condition `PodScheduled`, in an event and in the metric of pending workloads.',
    'The checks run in this order and the first that fails names the reason; Reserved stands for any of the four before it where only held space is in the way.',
    '',
    table(
      ['reason', 'meaning', 'next step'],
      Object.entries(waitReasons).map(([name, { meaning, nextStep }]) => [code(name), meaning, nextStep]),
    ),
  ]);
}

/** docs/reference/conditions.md: the conditions of each resource. */
export function conditionsPage(): string {
  return markdownPage([
    '# Conditions',
    '',
    'Every condition carries the generation of the spec that it was worked out for, and changes its `lastTransitionTime` only with its status.',
    ...Object.entries(conditions).flatMap(([kind, types]) => [
      '',
      `## ${kind}`,
      ...Object.entries<ConditionDoc>(types).flatMap(([type, { meaning, healthy, ...reasons }]) => [
        '',
        `### ${type}`,
        '',
        `${meaning} Healthy when ${healthy}.`,
        '',
        table(['status', 'reason', 'meaning'], [...rowsOf('True', reasons.true), ...rowsOf('False', reasons.false)]),
      ]),
    ]),
  ]);
}

function rowsOf(status: string, reasons: readonly ConditionReason[]): readonly (readonly string[])[] {
  return reasons.map((reason) => [status, code(reason), conditionReasons[reason].meaning]);
}

/** docs/reference/events.md: the events that Moa writes. */
export function eventsPage(): string {
  return markdownPage([
    '# Events',
    '',
    'Events narrate changes. An event that returns within ten minutes is counted in the first one, not repeated.',
    '',
    table(
      ['reason', 'on', 'type', 'meaning'],
      [
        [
          'any [wait reason](reasons.md)',
          'Pod',
          'Warning',
          'The first pod of a workload, when the reason why it waits changes.',
        ],
        [
          'any [condition reason](conditions.md)',
          'the resource',
          'Normal or Warning',
          'A condition of the resource changed; Warning when it is not healthy.',
        ],
        ...Object.entries(events).map(([name, { on, type, meaning }]) => [code(name), on, type, meaning]),
      ],
    ),
  ]);
}

/** docs/reference/labels-and-annotations.md: every key that Moa reads or writes. */
export function keysPage(): string {
  const sections = [
    ['Labels and taints', labels],
    ['Annotations', annotations],
    ['Keys of others that Moa reads', foreignKeys],
  ] as const;
  return markdownPage([
    '# Labels and annotations',
    ...sections.flatMap(([title, keys]) => [
      '',
      `## ${title}`,
      '',
      table(
        ['key', 'on', 'value', 'meaning'],
        Object.values<KeyDoc>(keys).map(({ key, on, value, meaning }) => [code(key), on, value, meaning]),
      ),
    ]),
  ]);
}

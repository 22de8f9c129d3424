import { annotations, borrowerAdmission, foreignKeys, labels } from '../../api/v1alpha1/constants/index.ts';
import { parseDuration } from '../units/index.ts';
import type { PodFacts, TopologyClaim } from './facts.ts';
import { quoted } from './quoted.ts';
import { listOf, objectOf, textMembersOf, textOf, type Raw } from './raw.ts';

/** Characters that a label's key has at the most: a prefix of 253, a slash, a name of 63. */
const longestLabelKey = 317;
/** Characters of a list of classes: more than the names of all classes of any pool. */
const longestClassList = 2048;

type Texts = Readonly<Record<string, string>>;

/** What a pod's labels and annotations claim, and the first thing wrong with them. */
export type PodClaims = Pick<PodFacts, 'gang' | 'user' | 'walltime' | 'borrower' | 'topology' | 'classes' | 'problem'>;

/**
 * Reads the labels and annotations of DESIGN.md section 3. A malformed one is a `problem`; the claim it is part of
 * stands as far as it can be read, so that the pods of a gang that is written wrongly are still one gang.
 */
export function readClaims(pod: Raw): PodClaims {
  const metadata = objectOf(pod['metadata']);
  const spec = objectOf(pod['spec']);
  const own = { labels: textMembersOf(metadata['labels']), annotations: textMembersOf(metadata['annotations']) };
  const gang = readGang(own.labels, own.annotations, metadata);
  const walltime = readWalltime(own.annotations, spec);
  const topology = readTopology(own.annotations);
  const classes = readClasses(own.annotations);
  return {
    gang: gang.value,
    user: own.labels[labels.user.key],
    walltime: walltime.value,
    borrower: own.annotations[annotations.admittedAs.key] === borrowerAdmission,
    topology: topology.value,
    classes: classes.value,
    problem: gang.problem ?? walltime.problem ?? topology.problem ?? classes.problem,
  };
}

interface Reading<T> {
  readonly value: T | undefined;
  readonly problem?: string;
}

function readGang(ownLabels: Texts, notes: Texts, metadata: Raw): Reading<PodFacts['gang'] & object> {
  const label = ownLabels[labels.gang.key];
  if (label !== undefined) return readLabelGang(label, notes[annotations.gangSize.key]);
  const ofJob = notes[annotations.gangOfJob.key];
  if (ofJob !== undefined && ofJob !== 'false') return readJobGang(ofJob, metadata);
  const podGroup = ownLabels[foreignKeys.podGroup.key];
  if (podGroup !== undefined && podGroup !== '')
    return { value: { kind: 'podGroup', name: podGroup, size: undefined } };
  if (notes[annotations.gangSize.key] === undefined) return { value: undefined };
  return {
    value: undefined,
    problem: `Annotation ${annotations.gangSize.key} says nothing without a gang: add the label ${labels.gang.key} with a name, or remove the annotation.`,
  };
}

function readLabelGang(name: string, size: string | undefined): Reading<PodFacts['gang'] & object> {
  if (name === '')
    return { value: undefined, problem: `Label ${labels.gang.key} is empty: write the name of the gang.` };
  const { key } = annotations.gangSize;
  // Nine digits are more pods than any cluster holds.
  if (size !== undefined && /^0*[1-9]\d{0,8}$/.test(size))
    return { value: { kind: 'label', name, size: Number(size) } };
  const is = size === undefined ? 'missing' : quoted(size);
  const problem = `Annotation ${key} is ${is}: write the number of pods of the gang, a whole number of 1 or more in quotes.`;
  return { value: { kind: 'label', name, size: undefined }, problem };
}

function readJobGang(text: string, metadata: Raw): Reading<PodFacts['gang'] & object> {
  const { key } = annotations.gangOfJob;
  if (text !== 'true')
    return { value: undefined, problem: `Annotation ${key} is ${quoted(text)}: write "true" or remove it.` };
  const job = listOf(metadata['ownerReferences'])
    .map(objectOf)
    .find((owner) => owner['kind'] === 'Job' && textOf(owner['apiVersion'])?.startsWith('batch/') === true);
  const name = textOf(job?.['name']);
  if (name !== undefined) return { value: { kind: 'job', name, size: undefined } };
  return {
    value: undefined,
    problem: `Annotation ${key} needs a batch/v1 Job that owns the pod: for other pods write the label ${labels.gang.key} and the annotation ${annotations.gangSize.key}.`,
  };
}

function readWalltime(notes: Texts, spec: Raw): Reading<number> {
  const { key } = annotations.walltime;
  const text = notes[key];
  if (text !== undefined) {
    const walltime = parseDuration(text);
    if (walltime !== undefined && walltime > 0) return { value: walltime };
    return {
      value: undefined,
      problem: `Annotation ${key} is ${quoted(text)}: write a duration above zero such as 12h or P2D.`,
    };
  }
  const seconds = spec['activeDeadlineSeconds'];
  return { value: typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : undefined };
}

/** Whether the label is a level of the pool is seen when the pool is known. */
function readTopology(notes: Texts): Reading<TopologyClaim> {
  const { topology, topologyMode } = annotations;
  const mode = notes[topologyMode.key];
  const level = notes[topology.key];
  if (mode !== undefined && mode !== 'Required' && mode !== 'Preferred')
    return {
      value: undefined,
      problem: `Annotation ${topologyMode.key} is ${quoted(mode)}: write Required or Preferred.`,
    };
  if (level === '' || (level !== undefined && level.length > longestLabelKey))
    return {
      value: undefined,
      problem: `Annotation ${topology.key} is ${level === '' ? 'empty' : quoted(level)}: write a topology level of the pool, which is a node label.`,
    };
  return { value: level === undefined ? undefined : { level, required: mode !== 'Preferred' } };
}

function readClasses(notes: Texts): Reading<readonly string[]> {
  const { key } = annotations.acceleratorClass;
  const text = notes[key];
  if (text === undefined) return { value: undefined };
  const names = text
    .slice(0, longestClassList)
    .split(',')
    .map((name) => name.trim());
  if (text.length <= longestClassList && names.every((name) => name !== '')) return { value: [...new Set(names)] };
  const problem = `Annotation ${key} is ${quoted(text)}: write the names of accelerator classes, best first, with commas between them.`;
  return { value: undefined, problem };
}

import { evictionMark, schedulerName } from '../../api/v1alpha1/constants/index.ts';
import type { Labels, PodPhase, PodShape } from './facts.ts';
import { Interner } from './interner.ts';
import { Pod, type PodTemplate } from './pod.ts';
import { readClaims } from './podClaims.ts';
import { readClaimUses } from './podConstraints.ts';
import { readShape } from './podShape.ts';
import { listOf, objectOf, textMembersOf, textOf, type Raw } from './raw.ts';

const phases: readonly PodPhase[] = ['Pending', 'Running', 'Succeeded', 'Failed'];

/**
 * Reads pods as the API server shows them. Pods of one template share their {@link PodShape}, and namespaces, nodes and
 * users are one string each, so that 100,000 pods stay small.
 */
export class PodReader {
  readonly #shapes: Interner<PodShape>;
  readonly #shapeIds = new WeakMap<PodShape, number>();
  #nextShapeId = 0;
  readonly #templates: Interner<PodTemplate>;
  readonly #labels: Interner<Labels>;
  readonly #texts: Interner<string>;

  /** @param remembered shapes, and texts, that are kept though no pod has them now: a busy cluster has fewer in use */
  constructor(remembered = 50_000) {
    this.#shapes = new Interner(remembered);
    this.#templates = new Interner(remembered);
    this.#labels = new Interner(remembered);
    this.#texts = new Interner(remembered);
  }

  /**
   * What scheduling and accounting need of a pod. Never throws: what is missing or malformed is read as absent, and
   * what would change where or whether the pod may run is said in `problem` or in the shape's `unsupported`.
   */
  read(raw: Raw): Pod {
    const metadata = objectOf(raw['metadata']);
    const spec = objectOf(raw['spec']);
    const status = objectOf(raw['status']);
    const claims = readClaims(raw);
    const template = this.#templateOf({
      namespace: this.#shared(textOf(metadata['namespace']) ?? ''),
      ours: spec['schedulerName'] === schedulerName,
      gated: listOf(spec['schedulingGates']).length > 0,
      priority: Number.isSafeInteger(spec['priority']) ? Number(spec['priority']) : 0,
      shape: this.#shapeOf(raw),
      gang: claims.gang,
      topology: claims.topology,
      classes: claims.classes,
      user: claims.user === undefined ? undefined : this.#shared(claims.user),
      walltime: claims.walltime,
      borrower: claims.borrower,
      problem: claims.problem,
    });
    return new Pod(template, {
      uid: textOf(metadata['uid']) ?? '',
      name: textOf(metadata['name']) ?? '',
      labels: this.#labelsOf(metadata),
      claims: readClaimUses(raw),
      owner: this.#ownerOf(metadata),
      createdAt: instantOf(metadata['creationTimestamp']),
      nodeName: this.#nodeName(spec),
      phase: phaseOf(status['phase']),
      boundAt: boundAtOf(spec, status, metadata),
      deletionAt: metadata['deletionTimestamp'] === undefined ? undefined : instantOf(metadata['deletionTimestamp']),
      evictedAt: evictedAtOf(status),
      explained: explanationOf(status),
    });
  }

  #templateOf(template: PodTemplate): PodTemplate {
    const { shape, ...rest } = template;
    let id = this.#shapeIds.get(shape);
    if (id === undefined) this.#shapeIds.set(shape, (id = this.#nextShapeId++));
    return this.#templates.intern(`${id} ${JSON.stringify(rest)}`, () => template);
  }

  #shapeOf(raw: Raw): PodShape {
    const shape = readShape(raw);
    const key = JSON.stringify(shape);
    return this.#shapes.intern(key, () => ({ key, ...shape }));
  }

  #labelsOf(metadata: Raw): Labels {
    const entries = Object.entries(textMembersOf(metadata['labels'])).sort(([a], [b]) => (a < b ? -1 : 1));
    return this.#labels.intern(JSON.stringify(entries), () => Object.fromEntries(entries));
  }

  #nodeName(spec: Raw): string | undefined {
    const name = textOf(spec['nodeName']);
    return name === undefined || name === '' ? undefined : this.#shared(name);
  }

  #ownerOf(metadata: Raw): string | undefined {
    const owner = listOf(metadata['ownerReferences'])
      .map(objectOf)
      .find((reference) => reference['controller'] === true);
    const uid = textOf(owner?.['uid']);
    return uid === undefined ? undefined : this.#shared(uid);
  }

  #shared(text: string): string {
    return this.#texts.intern(text, () => text);
  }
}

/** A pod that was just created has no phase yet. */
function phaseOf(value: unknown): PodPhase {
  return value === undefined ? 'Pending' : (phases.find((phase) => phase === value) ?? 'Unknown');
}

function instantOf(value: unknown): number {
  const instant = typeof value === 'string' ? Date.parse(value) : NaN;
  return Number.isNaN(instant) ? 0 : instant;
}

/** The transition of `PodScheduled`; a pod that says nothing has been there since it was created. */
function boundAtOf(spec: Raw, status: Raw, metadata: Raw): number | undefined {
  if ((textOf(spec['nodeName']) ?? '') === '') return undefined;
  const condition = scheduledCondition(status);
  const time = condition?.['status'] === 'True' ? condition['lastTransitionTime'] : status['startTime'];
  return instantOf(time ?? metadata['creationTimestamp']);
}

function evictedAtOf(status: Raw): number | undefined {
  const mark = conditionOf(status, evictionMark.type);
  if (mark?.['status'] !== 'True' || mark['reason'] !== evictionMark.reason) return undefined;
  return instantOf(mark['lastTransitionTime']);
}

function scheduledCondition(status: Raw): Raw | undefined {
  return conditionOf(status, 'PodScheduled');
}

function conditionOf(status: Raw, type: string): Raw | undefined {
  return listOf(status['conditions'])
    .map(objectOf)
    .find((condition) => condition['type'] === type);
}

function explanationOf(status: Raw): string | undefined {
  const scheduled = scheduledCondition(status);
  return scheduled?.['status'] === 'False' ? textOf(scheduled['message']) : undefined;
}

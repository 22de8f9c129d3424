import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  readClaim,
  readStorageClass,
  readVolume,
  Storage,
  type ClaimFacts,
  type Labels,
  type VolumeFacts,
} from '../../snapshot/index.ts';
import { readPodClaims } from './podClaims.ts';
import { nodeOf, podOf } from '../../testing/constraints.ts';
import { chooseVolumes } from './volumeBinding.ts';

const claim = (more: Partial<ClaimFacts> = {}): ClaimFacts => ({
  ...readClaim({ metadata: { name: 'data', namespace: 'lab', uid: 'u' }, spec: { storageClassName: 'local' } }),
  size: 5,
  accessModes: ['ReadWriteOnce'],
  ...more,
});
const volume = (name: string, more: Partial<VolumeFacts> = {}): VolumeFacts => ({
  ...readVolume({ metadata: { name }, spec: { storageClassName: 'local' }, status: { phase: 'Available' } }),
  size: 10,
  accessModes: ['ReadWriteOnce'],
  ...more,
});
const reachedFrom = (zone: string) => ({
  nodeTerms: [{ labels: [{ key: 'zone', operator: 'In' as const, values: [zone] }], names: [] }],
});
const bound = { volumeName: 'v', bound: true };

function storageOf(claims: readonly ClaimFacts[], volumes: readonly VolumeFacts[], provisioner = '') {
  const storage = new Storage();
  const allowedTopologies = [{ matchLabelExpressions: [{ key: 'zone', values: ['a'] }] }];
  const waits = { metadata: { name: 'local' }, volumeBindingMode: 'WaitForFirstConsumer', allowedTopologies };
  storage.putClass(readStorageClass({ ...waits, provisioner: provisioner || 'kubernetes.io/no-provisioner' }));
  storage.putClass(readStorageClass({ metadata: { name: 'now' }, volumeBindingMode: 'Immediate' }));
  for (const facts of claims) storage.putClaim(facts);
  for (const facts of volumes) storage.putVolume(facts);
  return storage;
}

/** The volume that is chosen, `made` where one is to be made, or what is in the way. */
function outcome(storage: Storage, zone: Labels = { zone: 'a' }): string {
  const claims = readPodClaims(storage, podOf({ uses: ['data'] }));
  if (claims.problem !== undefined) return claims.problem.text;
  const choice = chooseVolumes({ storage, decisions: storage }, claims, nodeOf('n', zone));
  if ('text' in choice) return choice.text;
  return choice.length === 0 ? 'nothing to do' : choice.map(({ decision }) => decision.volume ?? 'made').join();
}

describe('volumes of a pod on a node', () => {
  const none = 'the lack of a free volume that fits a claim of the pod';
  const elsewhere = 'a volume claim of the pod that is being bound for another node';
  const table: { rule: string; storage: Storage; want: string; zone?: Labels }[] = [
    {
      rule: 'a bound volume that is reached',
      storage: storageOf([claim(bound)], [volume('v')]),
      want: 'nothing to do',
    },
    {
      rule: 'a bound volume is reached from some nodes only',
      storage: storageOf([claim(bound)], [volume('v', reachedFrom('b'))]),
      want: 'the place of a volume of the pod',
    },
    {
      rule: 'a bound volume whose labels name zones goes with a node of one of them',
      storage: storageOf([claim(bound)], [volume('v', { labels: { 'topology.kubernetes.io/zone': 'x__y' } })]),
      zone: { 'topology.kubernetes.io/zone': 'y' },
      want: 'nothing to do',
    },
    {
      rule: 'a bound volume whose labels name zones does not go with a node of another',
      storage: storageOf([claim(bound)], [volume('v', { labels: { 'failure-domain.beta.kubernetes.io/zone': 'x' } })]),
      zone: { 'topology.kubernetes.io/zone': 'z' },
      want: 'the zone of a volume of the pod',
    },
    {
      rule: 'a node without any zone is in all of them',
      storage: storageOf([claim(bound)], [volume('v', { labels: { 'topology.kubernetes.io/zone': 'x' } })]),
      zone: {},
      want: 'nothing to do',
    },
    {
      rule: 'the smallest free volume that is large enough',
      storage: storageOf([claim()], [volume('large'), volume('right', { size: 6 }), volume('small', { size: 4 })]),
      want: 'right',
    },
    {
      rule: 'the volume that is reserved for the claim, even if a smaller one is free',
      storage: storageOf(
        [claim()],
        [
          volume('small', { size: 6 }),
          volume('own', { claim: { namespace: 'lab', name: 'data', uid: '' }, available: false }),
        ],
      ),
      want: 'own',
    },
    {
      rule: 'no volume of others, of another kind, mode or class, nor one that is going or not free',
      storage: storageOf(
        [claim()],
        [
          volume('theirs', { claim: { namespace: 'lab', name: 'data', uid: 'another' } }),
          volume('block', { block: true }),
          volume('class', { className: 'other' }),
          volume('mode', { accessModes: ['ReadOnlyMany'] }),
          volume('going', { deleting: true }),
          volume('busy', { available: false }),
          volume('attributes', { attributesClass: 'gold' }),
          volume('far', reachedFrom('b')),
        ],
      ),
      want: none,
    },
    {
      rule: 'only a volume that the claim selects',
      storage: storageOf(
        [claim({ selector: [{ key: 'speed', operator: 'In', values: ['fast'] }] })],
        [volume('slow'), volume('fast', { labels: { speed: 'fast' }, size: 90 })],
      ),
      want: 'fast',
    },
    { rule: 'a volume is made where none is free', storage: storageOf([claim()], [], 'csi.test'), want: 'made' },
    {
      rule: 'a volume is made only where the class allows it',
      storage: storageOf([claim()], [], 'csi.test'),
      zone: { zone: 'b' },
      want: none,
    },
    {
      rule: 'a claim for which a volume is being made on another node goes there only',
      storage: storageOf([claim({ selectedNode: 'm' })], [volume('free')], 'csi.test'),
      want: elsewhere,
    },
    {
      rule: 'a claim for which a volume is being made here takes no free one',
      storage: storageOf([claim({ selectedNode: 'n' })], [volume('free')], 'csi.test'),
      want: 'made',
    },
  ];
  for (const { rule, storage, want, zone } of table) it(rule, () => assert.equal(outcome(storage, zone), want));

  it('what has been decided for a claim holds until it is taken back, and is not given to another', () => {
    const other = claim({ name: 'other', uid: 'o' });
    const storage = storageOf([claim(), other], [volume('one')]);
    storage.decide('lab/other', { nodeName: 'n', volume: 'one' });
    assert.equal(outcome(storage), none);
    storage.revert('lab/other');
    assert.equal(outcome(storage), 'one');
    storage.decide('lab/data', { nodeName: 'm', volume: undefined });
    assert.equal(outcome(storage), elsewhere);
    storage.putClaim(claim({ volumeName: 'one', bound: true }));
    assert.equal(outcome(storage), 'nothing to do');
  });

  it('two claims of one pod take two volumes, the smaller claim the smaller one', () => {
    const storage = storageOf(
      [claim({ size: 9 }), claim({ name: 'second', uid: 's', size: 2 })],
      [volume('ten'), volume('three', { size: 3 })],
    );
    const claims = readPodClaims(storage, podOf({ uses: ['data', 'second'] }));
    const choice = chooseVolumes({ storage, decisions: storage }, claims, nodeOf('n'));
    assert.ok(!('text' in choice));
    assert.deepEqual(
      choice.map(({ key, decision }) => [key, decision.volume]),
      [
        ['lab/second', 'three'],
        ['lab/data', 'ten'],
      ],
    );
  });
});

describe('claims that no node can serve', () => {
  const table: { rule: string; storage: Storage; want: RegExp }[] = [
    { rule: 'a missing claim', storage: storageOf([], []), want: /data, which does not exist/ },
    { rule: 'a claim whose volume is lost', storage: storageOf([claim({ lost: true })], []), want: /volume is lost/ },
    { rule: 'a claim on its way out', storage: storageOf([claim({ deleting: true })], []), want: /being deleted/ },
    { rule: 'a volume that is gone', storage: storageOf([claim(bound)], []), want: /volume v, which does not exist/ },
    {
      rule: "a cloud's disk",
      storage: storageOf([claim(bound)], [volume('v', { migrated: 'gcePersistentDisk' })]),
      want: /kind gcePersistentDisk, which Moa does not support/,
    },
    {
      rule: 'an unbound claim whose class binds at once',
      storage: storageOf([claim({ className: 'now' })], []),
      want: /not bound to a volume yet/,
    },
    {
      rule: 'an unbound claim without a class',
      storage: storageOf([claim({ className: '' })], [volume('free')]),
      want: /not bound to a volume yet/,
    },
    {
      rule: 'a claim that names a volume and is not bound to it yet',
      storage: storageOf([claim({ volumeName: 'v' })], [volume('v')]),
      want: /not bound to a volume yet/,
    },
  ];
  for (const { rule, storage, want } of table) it(rule, () => assert.match(outcome(storage), want));

  it('a claim that is made from a template must belong to the pod', () => {
    const ephemeral = { ...podOf({ uses: ['data'] }), claims: [{ name: 'data', ephemeral: true }] };
    const owned = (owner: string) => readPodClaims(storageOf([claim({ owner })], [volume('v')]), ephemeral).problem;
    assert.match(owned('another')?.text ?? '', /was not made for the pod/);
    assert.equal(owned(ephemeral.uid), undefined);
  });

  it('as long as a list is not complete nothing is decided; one that is refused is taken as empty, and told', () => {
    const storage = storageOf([claim(bound)], [volume('v')]);
    storage.setListed('csinodes', 'the list is not complete yet');
    assert.match(outcome(storage), /the list of csinodes, which is not complete yet/);
    storage.setListed('csinodes', 'cannot be listed, Forbidden');
    assert.equal(outcome(storage), 'nothing to do');
    storage.setListed('persistentvolumeclaims', 'cannot be listed, Forbidden');
    storage.deleteClaim('lab', 'data');
    assert.match(outcome(storage), /does not exist \(persistentvolumeclaims: cannot be listed, Forbidden\)/);
  });
});

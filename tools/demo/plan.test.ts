import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseResource, type Kind } from '../../src/api/v1alpha1/index.ts';
import { sampleDay, sampleInstitutions, type TraceJob } from '../../src/sim/traces/index.ts';
import { apiErrorsOf } from './apiErrors.ts';
import { parseOptions } from './arguments.ts';
import { capacityOf, fleetOf, investmentPlan, nodesFor } from './fleet.ts';
import { guaranteeOf, policyManifests, quotaNameOf, type PolicyInput } from './policy.ts';
import { jobManifest, podsFor } from './workload.ts';

const defaults = {
  speedup: 576,
  jobs: 2000,
  nodes: undefined,
  seed: 1,
  trace: undefined,
  summary: undefined,
  exit: false,
};

const accepted: Record<string, { args: string[]; want: ReturnType<typeof parseOptions> }> = {
  'without flags a day passes in two and a half minutes': { args: [], want: defaults },
  'flags take their value as the next argument or after an equals sign': {
    args: ['--speedup', '60', '--nodes=20', '--jobs=5', '--seed', '7', '--trace', 'sample', '--summary', 'x', '--exit'],
    want: { speedup: 60, jobs: 5, nodes: 20, seed: 7, trace: 'sample', summary: 'x', exit: true },
  },
  'help is help, whatever else is said': { args: ['--speedup', 'fast', '--help'], want: undefined },
};
for (const [rule, { args, want }] of Object.entries(accepted)) {
  test(rule, () => assert.deepEqual(parseOptions(args), want));
}

const refused: Record<string, { args: string[]; want: RegExp }> = {
  'an unknown flag is refused with those that there are': {
    args: ['--speed', '5'],
    want: /no flag --speed: it has --speedup N/,
  },
  'an argument is refused': { args: ['fast'], want: /no argument fast/ },
  'a value that is no whole number is refused': { args: ['--jobs', '1e3'], want: /--jobs 1e3: give a whole number/ },
  'a value out of range is refused with the range': { args: ['--nodes', '2'], want: /from 3 to 5000/ },
  'a flag without its value is refused': { args: ['--jobs', '--exit'], want: /--jobs needs a value: --jobs N/ },
  'a flag that is given twice is refused': { args: ['--seed', '1', '--seed', '2'], want: /--seed is given twice/ },
  'a value for --exit is refused': { args: ['--exit=no'], want: /--exit takes no value/ },
};
for (const [rule, { args, want }] of Object.entries(refused)) {
  test(rule, () => assert.throws(() => parseOptions(args), want));
}

test('a fleet has at least the GPUs that it was sized for, and without its last node it has fewer', () => {
  for (const gpus of [1, 8, 9, 100, 745]) {
    const nodes = nodesFor(gpus);
    assert.ok(capacityOf(fleetOf(nodes)).gpus >= gpus);
    assert.ok(capacityOf(fleetOf(nodes - 1)).gpus < gpus);
  }
});

test('ten nodes of the fleet have 48 GPUs, worth 32 + 16 + 2 + 1.6 normalized GPUs', () => {
  assert.deepEqual(capacityOf(fleetOf(10)), { gpus: 48, milliGpus: 51_600 });
});

test('the nodes of an investment arrive in steps, have names of their own, and are what was promised', () => {
  const plan = investmentPlan('matching', 160, 1000);
  const nodes = plan.deliveries.flatMap((delivery) => delivery.nodes);
  assert.deepEqual(
    plan.deliveries.map(({ atSeconds }) => atSeconds),
    [300, 450, 600],
  );
  assert.equal(new Set([...nodes, ...fleetOf(160)].map(({ name }) => name)).size, nodes.length + 160);
  assert.equal(capacityOf(nodes).gpus, plan.investorGpus + plan.stateGpus);
  assert.equal(capacityOf(nodes).milliGpus, 2000 * plan.investorGpus);
});

const day = sampleDay({ seed: 3, jobs: 400 });
const fleet = fleetOf(100);
const policy: PolicyInput = {
  institutions: sampleInstitutions,
  jobs: day,
  seconds: 86_400,
  milliGpus: capacityOf(fleet).milliGpus,
  investment: investmentPlan('matching', 100, 86_400),
  today: '2026-11-23',
};

test('every manifest of the policy is one that the schemas take', () => {
  const kinds = policyManifests(policy).map(({ body }) => {
    const { kind } = body as { kind: Kind | 'Namespace' };
    if (kind === 'Namespace') return kind;
    const parsed = parseResource(kind, body);
    assert.ok(parsed.ok, JSON.stringify(parsed));
    return kind;
  });
  const count = (wanted: string) => kinds.filter((kind) => kind === wanted).length;
  assert.deepEqual(['GpuPool', 'ResearchQuota', 'Namespace', 'MatchingInvestment'].map(count), [1, 17, 15, 1]);
});

test('guarantees together stay below three fifths of the capacity, and everyone has one', () => {
  const guarantees = sampleInstitutions.map((institution) => guaranteeOf(policy, institution));
  const total = guarantees.reduce((sum, each) => sum + each, 0);
  assert.ok(total * 1000 <= 0.6 * policy.milliGpus);
  assert.ok(Math.min(...guarantees) >= 1);
});

test('the name of a quota begins with a letter', () => {
  assert.equal(quotaNameOf('11cb48'), 'vc-11cb48');
  assert.equal(quotaNameOf('ee9e8c'), 'ee9e8c');
});

test('a job is split into the fewest equal pods of at most eight GPUs', () => {
  const want = { 1: [1, 1], 8: [1, 8], 12: [2, 6], 13: [13, 1], 16: [2, 8], 24: [3, 8], 128: [16, 8] };
  for (const [gpus, [pods, each]] of Object.entries(want)) {
    assert.deepEqual(podsFor(Number(gpus)), { pods, gpus: each });
  }
});

interface JobShape {
  readonly spec: {
    readonly parallelism: number;
    readonly completions: number;
    readonly backoffLimit: number;
    readonly template: { readonly metadata: { readonly annotations: Readonly<Record<string, string>> } };
  };
}

function manifestOf(fields: Partial<TraceJob>): JobShape {
  const job = { id: 'x', submitSeconds: 0, durationSeconds: 5760, gpus: 1, institution: 'a', ...fields };
  return jobManifest(job, { namespace: 'a', speedup: 576 }) as JobShape;
}

test('a job runs for its duration at the speed-up, and for a second at least', () => {
  const annotations = (fields: Partial<TraceJob>) => manifestOf(fields).spec.template.metadata.annotations;
  assert.deepEqual(annotations({}), { 'kwok.moa.dev/duration': '10000ms' });
  assert.deepEqual(annotations({ durationSeconds: 3 }), { 'kwok.moa.dev/duration': '1000ms' });
});

test('a job of several pods is a gang that is not tried again', () => {
  const { spec } = manifestOf({ gpus: 32 });
  assert.equal(spec.template.metadata.annotations['moa.dev/gang'], 'true');
  assert.deepEqual([spec.parallelism, spec.completions, spec.backoffLimit], [4, 4, 0]);
});

test('API errors are counted by code, those that a controller expects apart', () => {
  const line = (code: string, count: string) =>
    `moa_api_requests_total{verb="GET",resource="pods",code="${code}"} ${count}`;
  const text = [
    '# HELP moa_api_requests_total Requests.',
    line('200', '1000'),
    line('409', '4'),
    line('404', '2'),
    line('500', '1'),
    line('500', '2'),
    line('Network', '1'),
    line('Aborted', '5'),
    'moa_bind_failures_total{code="409"} 4',
  ].join('\n');
  assert.deepEqual(apiErrorsOf(text), { requests: 1015, conflicts: 4, notFound: 2, errors: { 500: 3, Network: 1 } });
});

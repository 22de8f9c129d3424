import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { ConfigError, loadConfig } from './loadConfig.ts';
import { declarations } from './options.ts';
import type { Config } from './options.ts';

type Files = Readonly<Record<string, string>>;

function load(args: readonly string[], files: Files = {}, environment: Readonly<Record<string, string>> = {}) {
  const readFile = (path: string): string => {
    const text = files[path];
    if (text === undefined) throw Object.assign(new Error(`open ${path}`), { code: 'ENOENT' });
    return text;
  };
  return loadConfig(args, { readFile, environment });
}

function configOf(args: readonly string[], files?: Files): Config {
  const invocation = load(args, files);
  assert.equal(invocation.kind, 'run');
  return invocation.config;
}

/** The lines that a person gets. */
function mistakes(...given: Parameters<typeof load>): string[] {
  try {
    load(...given);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message.split('\n');
  }
  return [];
}

const defaults: Config = {
  kubeconfig: undefined,
  namespace: 'moa-system',
  leaderElect: true,
  metricsAddress: { host: '127.0.0.1', port: 8080 },
  healthAddress: { host: '127.0.0.1', port: 8081 },
  ledger: 'sqlite:moa-ledger.sqlite',
  ledgerJournal: undefined,
  otlpEndpoint: undefined,
  logLevel: 'info',
  logFormat: 'text',
  bindConcurrency: 64,
  clockOffsetMs: 0,
};

describe('settings that are accepted', () => {
  const table: [sentence: string, args: string[], want: Partial<Config>][] = [
    ['nothing given is all defaults', [], {}],
    [
      'a value may follow its flag or an equals sign',
      ['--kubeconfig', 'a', '--log-level=debug'],
      { kubeconfig: 'a', logLevel: 'debug' },
    ],
    ['of a flag given twice the last counts', ['--log-level=debug', '--log-level=warn'], { logLevel: 'warn' }],
    ['a switch alone is true', ['--leader-elect'], { leaderElect: true }],
    ['a switch is turned off with =false', ['--leader-elect=false'], { leaderElect: false }],
    [
      'an address without a host is every interface',
      ['--metrics-address', ':9090'],
      { metricsAddress: { host: '', port: 9090 } },
    ],
    [
      'an IPv6 address is in brackets',
      ['--metrics-address=[::1]:9090'],
      { metricsAddress: { host: '::1', port: 9090 } },
    ],
    [
      'a host may be a name',
      ['--metrics-address=localhost:9090'],
      { metricsAddress: { host: 'localhost', port: 9090 } },
    ],
    [
      '0 serves nothing',
      ['--health-address=0', '--metrics-address', '0'],
      { healthAddress: undefined, metricsAddress: undefined },
    ],
    [
      'a collector of traces is a URL',
      ['--otlp-endpoint=http://[::1]:4318/otlp'],
      { otlpEndpoint: 'http://[::1]:4318/otlp' },
    ],
    ['the clock moves forward', ['--clock-offset=36h'], { clockOffsetMs: 129_600_000 }],
    ['the clock moves back', ['--clock-offset', '-P1D'], { clockOffsetMs: -86_400_000 }],
    ['a value that starts with dashes is written with =', ['--kubeconfig=--odd'], { kubeconfig: '--odd' }],
  ];
  for (const [sentence, args, want] of table)
    it(sentence, () => assert.deepEqual(configOf(args), { ...defaults, ...want }));

  it('asking for help or the version wins over everything else', () => {
    assert.deepEqual(load(['--nonsense', '-h']), { kind: 'help' });
    assert.deepEqual(load(['--log-level=x', '--version']), { kind: 'version' });
  });
});

describe('the configuration file', () => {
  const table: [sentence: string, text: string, want: Partial<Config>][] = [
    [
      'has the names of the flags',
      'log-level: debug\nbind-concurrency: 8\nleader-elect: false',
      { logLevel: 'debug', bindConcurrency: 8, leaderElect: false },
    ],
    [
      'may quote what YAML would read otherwise',
      'metrics-address: "0"\nkubeconfig: "5"',
      { metricsAddress: undefined, kubeconfig: '5' },
    ],
    ['may be empty', '', {}],
    ['may be comments only', '# nothing yet\n', {}],
  ];
  for (const [sentence, text, want] of table) {
    it(sentence, () =>
      assert.deepEqual(configOf(['--config', 'moa.yaml'], { 'moa.yaml': text }), { ...defaults, ...want }),
    );
  }

  it('gives way to a flag', () => {
    assert.equal(
      configOf(['--config=moa.yaml', '--log-level=warn'], { 'moa.yaml': 'log-level: debug' }).logLevel,
      'warn',
    );
  });

  it('is not judged where a flag takes its place', () => {
    assert.equal(
      configOf(['--config=moa.yaml', '--log-level=warn'], { 'moa.yaml': 'log-level: loud' }).logLevel,
      'warn',
    );
  });
});

describe('mistakes in flags', () => {
  const names =
    '--kubeconfig, --config, --namespace, --leader-elect, --metrics-address, --health-address, --ledger, --ledger-journal, --log-level, --log-format, --otlp-endpoint, --bind-concurrency, --version, --help';
  const address =
    'write HOST:PORT with a port up to 65535, such as 127.0.0.1:8080 or :8080 for every interface, or 0 for none';
  const table: [sentence: string, args: string[], want: string[]][] = [
    [
      'an unknown flag is told the nearest',
      ['--metrics-adress=:1'],
      ['--metrics-adress: is unknown; did you mean --metrics-address?'],
    ],
    ['a flag like none is told all', ['--frobnicate'], [`--frobnicate: is unknown; there are ${names}`]],
    ['the hidden flag is not advertised', ['--clock-ofset=1h'], [`--clock-ofset: is unknown; there are ${names}`]],
    [
      'a word that belongs to no flag may be the value of a switch',
      ['--leader-elect', 'false'],
      ['false: is no flag; write --leader-elect=false'],
    ],
    ['a flag without its value', ['--kubeconfig'], ['--kubeconfig: needs a value; write --kubeconfig=FILE']],
    [
      'a flag does not swallow the next flag',
      ['--kubeconfig', '--log-level=debug'],
      ['--kubeconfig: needs a value; write --kubeconfig=FILE'],
    ],
    ['an empty path', ['--kubeconfig='], ['--kubeconfig "": write the path of a file']],
    ['a truth value spelled otherwise', ['--leader-elect=yes'], ['--leader-elect "yes": write true or false']],
    [
      'an object property is no truth value',
      ['--leader-elect=constructor'],
      ['--leader-elect "constructor": write true or false'],
    ],
    ['a log level that is none', ['--log-level=trace'], ['--log-level "trace": write one of error, warn, info, debug']],
    ['a log format that is none', ['--log-format=xml'], ['--log-format "xml": write one of text, json']],
    ['a port alone', ['--metrics-address=8080'], [`--metrics-address "8080": ${address}`]],
    ['a port beyond the last', ['--metrics-address=:65536'], [`--metrics-address ":65536": ${address}`]],
    ['an IPv6 address without brackets', ['--metrics-address=::1:80'], [`--metrics-address "::1:80": ${address}`]],
    [
      'a collector without a scheme',
      ['--otlp-endpoint=collector:4318'],
      ['--otlp-endpoint "collector:4318": write a URL such as http://collector.monitoring:4318'],
    ],
    ['no bindings at once', ['--bind-concurrency=0'], ['--bind-concurrency "0": write a whole number from 1 to 1000']],
    ['half a binding', ['--bind-concurrency=1.5'], ['--bind-concurrency "1.5": write a whole number from 1 to 1000']],
    [
      'too many bindings',
      ['--bind-concurrency=1001'],
      ['--bind-concurrency "1001": write a whole number from 1 to 1000'],
    ],
    [
      'a name no namespace can have',
      ['--namespace=Moa'],
      ['--namespace "Moa": write the name of a namespace: up to 63 lower-case letters, digits and dashes'],
    ],
    [
      'an offset without a unit',
      ['--clock-offset=90'],
      ['--clock-offset "90": write a duration such as 90m, -1h30m or P7D'],
    ],
    [
      'all mistakes are told at once',
      ['--log-level=x', '--log-format=y'],
      ['--log-level "x": write one of error, warn, info, debug', '--log-format "y": write one of text, json'],
    ],
  ];
  for (const [sentence, args, want] of table) it(sentence, () => assert.deepEqual(mistakes(args), want));
});

describe('mistakes in the configuration file', () => {
  const table: [sentence: string, text: string, want: string[]][] = [
    [
      'a bad value is told with the file and the name',
      'log-level: loud',
      ['moa.yaml: log-level "loud": write one of error, warn, info, debug'],
    ],
    [
      'an unknown name is told the nearest',
      'log-levl: debug',
      ['moa.yaml: log-levl: is unknown; did you mean log-level?'],
    ],
    [
      'a list where a text belongs',
      'namespace: [a, b]',
      ['moa.yaml: namespace: must be one text, number, true or false'],
    ],
    ['a name without a value', 'namespace:', ['moa.yaml: namespace: must be one text, number, true or false']],
    ['a list of settings', '- log-level', ['moa.yaml: must hold lines of the form name: value']],
    [
      'what is not YAML is told the place',
      'a: b: c',
      ['moa.yaml: is not YAML: bad indentation of a mapping entry, line 1 column 5'],
    ],
    [
      'a setting written twice',
      'log-level: info\nlog-level: warn',
      ['moa.yaml: is not YAML: duplicated mapping key, line 2 column 1'],
    ],
    ['two documents', 'log-level: info\n---\nlog-level: warn', ['moa.yaml: must hold one YAML document, not 2']],
    [
      'the file may not name another file',
      'config: b.yaml',
      [
        'moa.yaml: config: is unknown; there are kubeconfig, namespace, leader-elect, metrics-address, health-address, ledger, ledger-journal, log-level, log-format, otlp-endpoint, bind-concurrency',
      ],
    ],
  ];
  for (const [sentence, text, want] of table) {
    it(sentence, () => assert.deepEqual(mistakes(['--config=moa.yaml'], { 'moa.yaml': text }), want));
  }

  it('a file that is not there', () => {
    assert.deepEqual(mistakes(['--config=moa.yaml']), ['moa.yaml: there is no such file']);
  });
});

describe('the clock offset', () => {
  const inPod = { KUBERNETES_SERVICE_HOST: '10.96.0.1' };
  const refused = ['--clock-offset: is for tests; inside a cluster the operator goes by the real time'];

  it('is refused under the service account of a pod', () => {
    assert.deepEqual(mistakes(['--clock-offset=1h'], {}, inPod), refused);
  });

  it('is taken in a pod that tests another cluster', () => {
    assert.deepEqual(mistakes(['--clock-offset=1h', '--kubeconfig=x'], {}, inPod), []);
    assert.deepEqual(mistakes(['--clock-offset=1h'], {}, { ...inPod, KUBECONFIG: 'x' }), []);
  });

  it('does not stand in a file', () => {
    assert.match(mistakes(['--config=c'], { c: 'clock-offset: 1h' })[0] ?? '', /clock-offset: is unknown/);
  });
});

describe('any command line', () => {
  it('gives an invocation or a ConfigError, nothing else', () => {
    const flag = fc.constantFrom(
      ...declarations.map(({ name }) => `--${name}`),
      '--help',
      '-h',
      '--',
      '-',
      '--__proto__',
    );
    const words = fc.array(
      fc.oneof(
        flag,
        fc.string(),
        fc.tuple(flag, fc.string()).map(([name, value]) => `${name}=${value}`),
      ),
    );
    fc.assert(
      fc.property(words, fc.string(), (args, text) => {
        try {
          loadConfig(args, { readFile: () => text, environment: {} });
        } catch (error) {
          assert.ok(error instanceof ConfigError, String(error));
          assert.notEqual(error.message, '');
        }
      }),
    );
  });
});

describe('the ledger', () => {
  const url = 'postgres://moa:secret@db/moa';
  const ledgerFrom = (args: readonly string[], environment: Readonly<Record<string, string>>) => {
    const invocation = loadConfig(args, { environment });
    return invocation.kind === 'run' ? invocation.config.ledger : undefined;
  };

  it('may come from MOA_LEDGER, which a Secret fills; a flag wins over it', () => {
    assert.equal(ledgerFrom([], { MOA_LEDGER: url }), url);
    assert.equal(ledgerFrom(['--ledger', 'sqlite:a'], { MOA_LEDGER: url }), 'sqlite:a');
  });

  it('from MOA_LEDGER is not repeated when it is refused', () => {
    assert.throws(() => ledgerFrom([], { MOA_LEDGER: 'mysql://moa:secret@db' }), {
      message: 'MOA_LEDGER: write sqlite:PATH, or postgres://USER:PASSWORD@HOST/DATABASE',
    });
  });
});

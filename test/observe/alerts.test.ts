import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { ensureBinaries, printProgress } from '../../tools/cluster/index.ts';
import { alertRules, runbookOf } from '../../tools/generate/observability/alertRules.ts';
import { alerts, type Alert } from '../../tools/generate/observability/alerts/index.ts';
import { alertCases, type Firing, type Quiet } from './alertCases.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'moa-alerts-'));
const rules = join(directory, 'alerts.yaml');
let promtool = '';

before(async () => {
  ({ promtool } = await ensureBinaries(['promtool'], printProgress()));
  writeFileSync(rules, alertRules());
});
after(() => rmSync(directory, { recursive: true }));

/** What promtool says of the rules under these circumstances; undefined when all is as expected. */
function problemWith(alert: Alert, series: Firing['series'], expected: readonly object[]): string | undefined {
  const test = {
    rule_files: [rules],
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
        alert_rule_test: expected,
      },
    ],
  };
  const file = join(directory, `${alert.name}.json`);
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(test));
  const { status, stdout, stderr } = spawnSync(promtool, ['test', 'rules', file], { encoding: 'utf8' });
  return status === 0 ? undefined : stdout + stderr;
}

/** The texts of an alert with what it fills in. */
function filled(text: string, { labels = {}, value = '' }: Firing): string {
  return text
    .replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => labels[label] ?? `no label ${label}`)
    .replaceAll(/\{\{ \$value[^}]*\}\}/g, value);
}

function problemWithFiring(alert: Alert, firing: Firing): string | undefined {
  const expected = {
    exp_labels: { severity: alert.severity, ...firing.labels },
    exp_annotations: {
      summary: filled(alert.summary, firing),
      description: filled(alert.description, firing),
      runbook_url: runbookOf(alert),
    },
  };
  return problemWith(alert, firing.series, [{ eval_time: firing.at, alertname: alert.name, exp_alerts: [expected] }]);
}

function problemWithQuiet(alert: Alert, { series, at }: Quiet): string | undefined {
  const looks = at.map((time) => ({ eval_time: time, alertname: alert.name, exp_alerts: [] }));
  return problemWith(alert, series, looks);
}

describe('the alert rules', () => {
  it("pass Prometheus' own check", () => {
    const { status, stdout, stderr } = spawnSync(promtool, ['check', 'rules', '--lint-fatal', rules], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, new RegExp(`SUCCESS: ${alerts.length} rules found`));
  });

  it('have names of their own, and cases that each fires and does not fire in', () => {
    assert.equal(new Set(alerts.map(({ name }) => name)).size, alerts.length);
    assert.deepEqual(Object.keys(alertCases).sort(), alerts.map(({ name }) => name).sort());
    for (const [name, { fires, quiet }] of Object.entries(alertCases))
      assert.ok(fires.length > 0 && quiet.length > 0, name);
  });

  it('have a page each that says what it means and what to do, and there is no page without its alert', () => {
    const pages = readdirSync(join(root, 'docs/runbooks')).filter((page) => page !== 'README.md');
    assert.deepEqual(pages.sort(), alerts.map(({ name }) => `${name}.md`).sort());
    for (const alert of alerts) {
      const path = join(root, runbookOf(alert));
      assert.ok(existsSync(path), path);
      const headings = [...readFileSync(path, 'utf8').matchAll(/^#+ .*$/gm)].map(([heading]) => heading);
      assert.deepEqual(
        headings,
        [`# ${alert.name}`, '## Meaning', '## Impact', '## How to see', '## What to do'],
        alert.name,
      );
    }
  });
});

for (const alert of alerts) {
  describe(alert.name, () => {
    const { fires = [], quiet = [] } = alertCases[alert.name] ?? {};
    for (const firing of fires)
      it(`fires when ${firing.when}`, () => assert.equal(problemWithFiring(alert, firing), undefined));
    for (const one of quiet)
      it(`is quiet when ${one.when}`, () => assert.equal(problemWithQuiet(alert, one), undefined));
  });
}

describe('the test of the rules', () => {
  const leaderless = alerts.find(({ name }) => name === 'MoaNoLeader')!;
  it('notices an alert that does not fire, and one that should not', () => {
    const led = { when: '', at: '5m', series: { 'moa_leader{instance="a"}': '1x10' } };
    assert.match(problemWithFiring(leaderless, led) ?? '', /FAILED/);
    const unled = { when: '', at: ['5m'], series: { 'moa_leader{instance="a"}': '0x10' } };
    assert.match(problemWithQuiet(leaderless, unled) ?? '', /FAILED/);
  });
});

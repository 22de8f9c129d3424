/** One value of a gauge with its labels. */
type LabelledValue = readonly [labels: Readonly<Record<string, string>>, value: number];

/**
 * A gauge in the Prometheus text format, as prom-client writes it, at a fifth of the cost: a page of ten thousand quotas
 * has a hundred thousand such lines. Values are finite.
 */
export function gaugeText(name: string, help: string, series: readonly LabelledValue[]): string {
  const lines = [`# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`, `# TYPE ${name} gauge`];
  for (const [labels, value] of series) {
    let text = '';
    for (const label in labels) {
      const part = `${label}="${escaped(labels[label] ?? '')}"`;
      text = text === '' ? part : `${text},${part}`;
    }
    lines.push(text === '' ? `${name} ${value}` : `${name}{${text}} ${value}`);
  }
  return lines.join('\n');
}

const special = /[\\"\n]/;

function escaped(value: string): string {
  if (!special.test(value)) return value;
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

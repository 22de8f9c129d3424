import { visibleDeclarations as visible } from './options.ts';
import type { OptionDeclaration } from './options.ts';

/** The text of `--help`. */
export function renderHelp(): string {
  const rows = [
    ...visible.map((option) => [`--${option.name} ${option.argument}`, withDefault(option)] as const),
    ['--version', 'Print the version.'] as const,
    ['--help', 'Print this.'] as const,
  ];
  const width = Math.max(...rows.map(([flag]) => flag.length));
  return [
    'Runs the Moa operator.',
    '',
    'usage: npm start -- [FLAGS]',
    '',
    ...rows.map(([flag, help]) => `  ${flag.padEnd(width)}  ${help}`),
    '',
  ].join('\n');
}

/** The reference page of all settings, in Markdown: docs/reference/configuration.md. */
export function renderConfigurationReference(): string {
  const rows = visible.map(({ name, argument, help, default: preset, inFile, variable }) =>
    [
      '',
      `\`--${name}\``,
      code(argument),
      preset === undefined ? '' : code(preset),
      inFile === false ? 'no' : 'yes',
      `${help}${variable === undefined ? '' : ` Without it the environment variable \`${variable}\` serves.`}`.replaceAll(
        '|',
        '\\|',
      ),
      '',
    ]
      .join(' | ')
      .trim(),
  );
  return [
    '# Configuration',
    '',
    'Settings of the operator, as flags of `npm start --` or of the container. Those marked so may also stand in the YAML',
    'file that `--config` names, under the same name without the dashes. A flag wins over the file, the file over an',
    'environment variable, that over the default. An unknown name or a bad value ends the operator with exit code 2 and a line for each mistake.',
    '',
    '| flag | value | default | in the file | meaning |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    '```yaml',
    '# moa.yaml',
    ...visible.flatMap(({ name, default: preset, inFile }) =>
      inFile === false || preset === undefined ? [] : [`${name}: ${preset}`],
    ),
    '```',
    '',
  ].join('\n');
}

function withDefault({ help, default: preset, variable }: OptionDeclaration): string {
  const from = variable === undefined ? '' : ` Without it: $${variable}.`;
  return `${help}${from}${preset === undefined ? '' : ` Default: ${preset}.`}`;
}

function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``;
}

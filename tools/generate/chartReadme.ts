import { settingsOf, type JsonSchema, type Setting } from './chartValue.ts';
import { chartValues } from './chartValues.ts';
import { code, table } from './markdown.ts';
import { markdownPage } from './yaml.ts';

/** The chart's page: how to install it in two lines, and every value. */
export function chartReadme(): string {
  const rows = settingsOf(chartValues).map((setting) => [
    code(setting.path),
    code(kindOf(setting.schema)),
    presetText(setting),
    setting.about,
  ]);
  return markdownPage([
    '# The chart moa',
    '',
    'Installs the Moa operator: Deployment, custom resources, roles, admission policies, and what watches over them.',
    'How to install, upgrade and uninstall, and what to choose: [docs/install.md](../../docs/install.md).',
    '',
    '```console',
    'helm install moa charts/moa --namespace moa-system --create-namespace --set image.repository=YOUR/moa',
    '```',
    '',
    'Sets of values to start from are in [examples/](examples/). A value that is not in this table, or of another type,',
    'is refused by its name.',
    '',
    '## Values',
    '',
    table(['value', 'type', 'default', 'meaning'], rows),
  ]);
}

function presetText({ default: preset }: Setting): string {
  return preset === undefined || preset === null || preset === '' ? '' : code(JSON.stringify(preset));
}

/** What to write, in a word or two. */
function kindOf({ type, enum: options }: JsonSchema): string {
  if (Array.isArray(options)) return options.join(' | ');
  if (Array.isArray(type)) return type.filter((name) => name !== 'null').join(' | ');
  return String(type);
}

export { ConfigError, loadConfig } from './loadConfig.ts';
export { visibleDeclarations } from './options.ts';
export type { Config } from './options.ts';
export { renderConfigurationReference, renderHelp } from './render.ts';

import { readFileSync } from 'node:fs';
import process from 'node:process';
import { ConfigError, loadConfig, renderHelp, type Config } from './config/index.ts';
import { createLogger } from './observe/index.ts';
import { runOperator } from './operator.ts';

/** How the operator ends when its settings are wrong; 1 is any other failure. */
const misconfigured = 2;

async function main(): Promise<number> {
  const version = versionOf();
  let config: Config;
  try {
    const invocation = loadConfig(process.argv.slice(2));
    if (invocation.kind === 'help') {
      process.stdout.write(renderHelp());
      return 0;
    }
    if (invocation.kind === 'version') {
      process.stdout.write(`moa ${version}\n`);
      return 0;
    }
    config = invocation.config;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return misconfigured;
  }

  const logger = createLogger({ level: config.logLevel, format: config.logFormat });
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());
  try {
    logger.info(`moa ${version} starts`);
    await runOperator(config, version, logger, stop.signal);
    logger.info('stopped');
    return 0;
  } catch (error) {
    logger.error('cannot go on', { error });
    return 1;
  } finally {
    await logger.flush();
  }
}

function versionOf(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}

process.exit(await main());

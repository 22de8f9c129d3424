import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';

import { postgresAbsence, startPostgres, type PostgresServer } from './postgresServer.ts';

/** Where the tests of an engine get their ledgers from. */
export interface LedgerSource {
  /** URL of a ledger that nobody has used. */
  fresh(): Promise<string>;
}

/** In memory where there is such a place: a test that kills processes needs no disk, and is done sooner without. */
export const scratch = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** Runs the same tests against both engines, PostgreSQL being a server that they start. */
export function forEachEngine(tests: (source: LedgerSource, engine: 'SQLite' | 'PostgreSQL') => void): void {
  describe('SQLite', () => {
    let folder: string;
    let files = 0;
    before(() => {
      folder = mkdtempSync(join(scratch, 'moa-ledger-'));
    });
    after(() => rmSync(folder, { recursive: true, force: true }));
    tests({ fresh: () => Promise.resolve(`sqlite:${join(folder, `${(files += 1)}.db`)}`) }, 'SQLite');
  });

  describe('PostgreSQL', { skip: postgresAbsence() ?? false }, () => {
    let server: PostgresServer;
    before(async () => {
      server = await startPostgres();
    });
    after(() => server.stop());
    tests({ fresh: () => server.createDatabase() }, 'PostgreSQL');
  });
}

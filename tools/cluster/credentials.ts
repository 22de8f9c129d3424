import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files of one data directory that hold keys and tokens. They live as long as the directory. */
export interface Credentials {
  /** Where kube-apiserver writes its self-signed serving certificate on its first start. */
  readonly certificateDir: string;
  /** That certificate; it is its own authority. */
  readonly certificate: string;
  readonly serviceAccountPrivateKey: string;
  readonly serviceAccountPublicKey: string;
  /** Static tokens, in the form of `--token-auth-file`. */
  readonly tokenFile: string;
  /** Bearer tokens by user name. All are members of system:masters. */
  readonly tokens: Readonly<Record<User, string>>;
}

/** Who speaks to the API server: one name each, so that its metrics and audit tell them apart. */
export type User = 'admin' | 'kube-controller-manager' | 'kube-scheduler' | 'kwok';

const users: readonly User[] = ['admin', 'kube-controller-manager', 'kube-scheduler', 'kwok'];
const secret = { mode: 0o600 };

/** Reads the credentials of a data directory, and makes those that are missing. */
export function ensureCredentials(dataDir: string): Credentials {
  const directory = join(dataDir, 'pki');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const serviceAccountPrivateKey = join(directory, 'service-account.key');
  const serviceAccountPublicKey = join(directory, 'service-account.pub');
  if (!existsSync(serviceAccountPublicKey)) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(serviceAccountPrivateKey, privateKey.export({ type: 'pkcs8', format: 'pem' }), secret);
    writeFileSync(serviceAccountPublicKey, publicKey.export({ type: 'spki', format: 'pem' }));
  }
  const tokenFile = join(directory, 'tokens.csv');
  if (!existsSync(tokenFile)) {
    const rows = users.map((user) => `${randomBytes(24).toString('hex')},${user},${user},system:masters`);
    writeFileSync(tokenFile, rows.join('\n') + '\n', secret);
  }
  const rows = readFileSync(tokenFile, 'utf8').trim().split('\n');
  const tokens = Object.fromEntries(rows.map((row) => row.split(',', 2).reverse())) as Record<User, string>;
  return {
    certificateDir: directory,
    certificate: join(directory, 'apiserver.crt'),
    serviceAccountPrivateKey,
    serviceAccountPublicKey,
    tokenFile,
    tokens,
  };
}

/** Writes a kubeconfig for one user, readable by its owner only. JSON is YAML too. */
export function writeKubeconfig(path: string, server: string, user: User, credentials: Credentials): void {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'moa',
    contexts: [{ name: 'moa', context: { cluster: 'moa', user } }],
    clusters: [
      {
        name: 'moa',
        cluster: { server, 'certificate-authority-data': readFileSync(credentials.certificate).toString('base64') },
      },
    ],
    users: [{ name: user, user: { token: credentials.tokens[user] } }],
  };
  writeFileSync(path, JSON.stringify(config, undefined, 2) + '\n', secret);
}

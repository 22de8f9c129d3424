import { readFileSync } from 'node:fs';

import { Pool } from 'undici';

/** A call to the API server. */
export interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Absolute path, with its query if it has one. */
  readonly path: string;
  readonly body?: unknown;
  /** Default: `application/json`. */
  readonly contentType?: string;
}

/** Calls of one API server over connections that stay open. */
export interface ApiClient {
  /**
   * The parsed answer.
   * @throws ApiError for any status of 400 and above; the transport's own error when there is no answer.
   */
  request(call: ApiCall): Promise<unknown>;
  close(): Promise<void>;
}

/** The API server's refusal. `reason` is its machine-readable word, such as `NotFound`. */
export class ApiError extends Error {
  readonly status: number;
  readonly reason: string;

  constructor(call: ApiCall, status: number, answer: unknown) {
    const { message, reason } = (answer ?? {}) as { message?: string; reason?: string };
    super(`${call.method} ${call.path}: ${status} ${message ?? JSON.stringify(answer)}`);
    this.name = 'ApiError';
    this.status = status;
    this.reason = reason ?? '';
  }
}

/** A client for the server and the user of a kubeconfig that {@link startControlPlane} wrote. */
export function apiClient(kubeconfig: string, connections = 16): ApiClient {
  const config = JSON.parse(readFileSync(kubeconfig, 'utf8')) as {
    clusters: [{ cluster: { server: string; 'certificate-authority-data': string } }];
    users: [{ user: { token: string } }];
  };
  const { cluster } = config.clusters[0];
  const ca = Buffer.from(cluster['certificate-authority-data'], 'base64');
  const pool = new Pool(cluster.server, { connections, connect: { ca } });
  const authorization = `Bearer ${config.users[0].user.token}`;
  return {
    request: async (call) => {
      const response = await pool.request({
        method: call.method,
        path: call.path,
        headers: { authorization, accept: 'application/json', 'content-type': call.contentType ?? 'application/json' },
        body: call.body === undefined ? null : JSON.stringify(call.body),
      });
      const text = await response.body.text();
      const answer: unknown = parse(text);
      if (response.statusCode >= 400) throw new ApiError(call, response.statusCode, answer);
      return answer;
    },
    close: () => pool.destroy(),
  };
}

/** Some answers are plain text, `/readyz` among them. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

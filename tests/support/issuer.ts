// An issuer of tokens in the test's own process: keys that change, a real HTTP server that can be slow, broken or down.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { freePort } from '@weft/core/process-table';
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';

export const ISSUER = 'https://issuer.test';
export const AUDIENCE = 'weft';

export interface Signer {
  readonly kid: string;
  readonly publicJwk: JWK;
  /** A good token for `sub: worker`, but for what is given; a claim or header that is undefined is left out. */
  sign(claims?: JWTPayload, header?: Record<string, unknown>): Promise<string>;
}

export async function createSigner(kid: string, alg = 'ES256'): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return {
    kid,
    publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' },
    sign(claims = {}, header = {}) {
      const nowS = Math.floor(Date.now() / 1_000);
      const payload = { iss: ISSUER, aud: AUDIENCE, sub: 'worker', iat: nowS, exp: nowS + 600, ...claims };
      const left = Object.entries(payload).filter(([, value]) => value !== undefined);
      return new SignJWT(Object.fromEntries(left))
        .setProtectedHeader({ alg, kid, typ: 'JWT', ...header })
        .sign(privateKey, { crit: { jku: true } });
    },
  };
}

export interface KeyServer {
  readonly url: string;
  /** What it serves now. */
  keys: readonly JWK[];
  /** Instead of the keys. */
  answer:
    | { readonly status: number; readonly body: string; readonly location?: string }
    | 'silence'
    | 'half'
    | undefined;
  /** Requests so far. */
  asked: number;
  /** Stops listening; `start` brings it back on its port. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export async function startKeyServer(...signers: readonly Signer[]): Promise<KeyServer> {
  // It stops and starts: a port that no connection out is given meanwhile.
  const port = await freePort();
  let http: Server | undefined;
  const server: KeyServer = {
    get url() {
      return `http://127.0.0.1:${port}/jwks`;
    },
    keys: signers.map(({ publicJwk }) => publicJwk),
    answer: undefined,
    asked: 0,
    async start() {
      const started = createServer((_request, response) => {
        server.asked += 1;
        if (server.answer === 'silence') return;
        if (server.answer === 'half') return void response.writeHead(200).write('{"keys":[');
        const { status, body, location } = server.answer ?? {
          status: 200,
          body: JSON.stringify({ keys: server.keys }),
        };
        response.writeHead(status, location === undefined ? {} : { location }).end(body);
      });
      await once(started.listen(port, '127.0.0.1'), 'listening');
      http = started;
    },
    stop: () =>
      new Promise((resolve) => {
        if (http === undefined) return resolve();
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
  await server.start();
  return server;
}

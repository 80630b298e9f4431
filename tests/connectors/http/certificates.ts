// Certificates for tests, made by the machine's openssl: node:crypto reads X.509 and does not write it.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** PEM text. */
export interface Certified {
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends Certified {
  /** Certifies `CN=<name>` for localhost and 127.0.0.1. */
  certify(name: string): Certified;
}

/** Undefined when openssl is there, else why the tests with certificates are skipped. */
export function whyNoOpenssl(): string | undefined {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore', timeout: 5_000 });
    return undefined;
  } catch (thrown) {
    const reason = `openssl cannot be run: ${(thrown as Error).message}`;
    console.warn(`SKIPPED: ${reason}`);
    return reason;
  }
}

/** A certificate authority of a test's own. */
export function createAuthority(name: string): Authority {
  const own = makeCertificate(name, undefined);
  return { ...own, certify: (subject) => makeCertificate(subject, own) };
}

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

function makeCertificate(name: string, issuer: Certified | undefined): Certified {
  const folder = mkdtempSync(join(tmpdir(), 'weft-x509-'));
  const path = (file: string) => join(folder, file);
  const run = (more: readonly string[], input = '') =>
    execFileSync('openssl', ['req', '-x509', ...CURVE, '-days', '2', '-subj', `/CN=${name}`, ...more], {
      input,
      stdio: ['pipe', 'pipe', 'ignore'],
      timeout: 20_000,
    });
  try {
    const files = ['-keyout', path('key'), '-out', path('cert')];
    if (issuer === undefined) run([...files, '-addext', 'keyUsage=keyCertSign']);
    else {
      const [ca, caKey] = [path('ca'), path('ca-key')];
      writeFileSync(ca, issuer.cert);
      writeFileSync(caKey, issuer.key);
      const names = [
        '-addext',
        'subjectAltName=DNS:localhost,IP:127.0.0.1',
        '-addext',
        'basicConstraints=CA:FALSE',
      ];
      run([...files, ...names, '-CA', ca, '-CAkey', caKey]);
    }
    return { cert: readFileSync(path('cert'), 'utf8'), key: readFileSync(path('key'), 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A TLS 1.2 server that refuses clients without a certificate of `authority` by an alert within the handshake; Node's server sends none. */
export async function startStrictServer(
  authority: Authority,
): Promise<{ readonly url: string; close(): void }> {
  const folder = mkdtempSync(join(tmpdir(), 'weft-x509-'));
  const own = authority.certify('localhost');
  const files = { cert: own.cert, key: own.key, CAfile: authority.cert };
  const flags = Object.entries(files).flatMap(([name, pem]) => {
    writeFileSync(join(folder, name), pem);
    return [`-${name}`, join(folder, name)];
  });
  const more = ['-accept', '127.0.0.1:0', '-Verify', '2', '-verify_return_error', '-tls1_2', '-www'];
  const server = spawn('openssl', ['s_server', ...flags, ...more], { stdio: ['ignore', 'pipe', 'ignore'] });
  const close = () => {
    server.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  let said = '';
  for (;;) {
    const [chunk] = await once(server.stdout, 'data', { signal: AbortSignal.timeout(10_000) });
    said += String(chunk);
    const port = /ACCEPT \S*:(\d+)/.exec(said)?.[1];
    if (port !== undefined) return { url: `https://localhost:${port}`, close };
  }
}

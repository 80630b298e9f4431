// Looks whether a source is there, below its protocol: a TCP connection, or a file that can be read.
import { access, constants } from 'node:fs/promises';
import { connect } from 'node:net';
import type { MappingScope } from '@weft/schema/mapping/compile';
import type { CalledSource } from './open-source.ts';
import { sqlitePath } from './sql/open-engine.ts';

export type ProbeTarget =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'file'; readonly path: string };

const PROBE_TIMEOUT_MS = 1_000;
const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  'http:': 80,
  'https:': 443,
  'amqp:': 5672,
  'amqps:': 5671,
  'mqtt:': 1883,
  'mqtts:': 8883,
  'mysql:': 3306,
  'mariadb:': 3306,
  'postgres:': 5432,
  'postgresql:': 5432,
};

/** Where a source is; its address was checked when it was opened. */
export function probeTarget(source: CalledSource, scope: MappingScope): ProbeTarget {
  const address =
    source.protocol === 'rest' ? source.baseUrl : source.protocol === 'soap' ? source.endpoint : source.url;
  const url = new URL(String(address.evaluate(scope)));
  if (url.protocol === 'sqlite:') return { kind: 'file', path: sqlitePath(url.href) };
  const port = url.port === '' ? (DEFAULT_PORTS[url.protocol] ?? 80) : Number(url.port);
  return { kind: 'tcp', host: url.hostname.replace(/^\[|\]$/g, ''), port };
}

/** Undefined when it is there, else why not, as the system's error code. Takes at most 1 s. */
export function probe(target: ProbeTarget): Promise<string | undefined> {
  return target.kind === 'tcp' ? probeTcp(target.host, target.port) : probeFile(target.path);
}

function probeTcp(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PROBE_TIMEOUT_MS });
    const settle = (reason: string | undefined) => {
      socket.destroy();
      resolve(reason);
    };
    socket.once('connect', () => settle(undefined));
    socket.once('timeout', () => settle('ETIMEDOUT'));
    socket.once('error', (error: NodeJS.ErrnoException) => settle(error.code ?? 'UNREACHABLE'));
  });
}

async function probeFile(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.R_OK);
    return undefined;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code ?? 'UNREADABLE';
  }
}

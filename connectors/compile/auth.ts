// Decodes how a source is logged in to: `auth`, `tls` and WS-Security.
import { getHashes } from 'node:crypto';
import { CANONICAL_PARTS, SIGNATURE_PARTS } from '../http/hmac.ts';
import type { AuthPlan, HmacPlan, OAuth2Plan, TlsPlan, WsSecurityPlan } from '../plan.ts';
import type { IssueList } from './build-issues.ts';
import { exactlyOne, readAddress } from './choices.ts';
import type { Arguments } from './directive-arguments.ts';
import { readSecretName } from './secret-name.ts';

const HEADER_NAME = /^[A-Za-z0-9-]+$/;
/** Headers that say how the message travels: a credential in one of them breaks the exchange. */
const TRANSPORT_HEADERS = ['host', 'content-length', 'content-type', 'transfer-encoding', 'connection'];
const KINDS = ['apiKey', 'bearer', 'basic', 'oauth2', 'hmac'] as const;

/** The `auth` of an HTTP source. */
export function readAuth(given: Arguments, issues: IssueList): AuthPlan | undefined {
  const auth = given.object('auth');
  if (auth === undefined) return undefined;
  const kind = exactlyOne(auth, KINDS, 'auth', issues);
  switch (kind) {
    case 'bearer':
    case 'basic':
      return { kind, secret: readSecretName(auth, kind, issues) };
    case 'apiKey':
      return readApiKey(auth, issues);
    case 'oauth2':
      return readOAuth2(auth, issues);
    case 'hmac':
      return readHmac(auth, issues);
    case undefined:
      return undefined;
    default:
      return kind satisfies never;
  }
}

function readApiKey(auth: Arguments, issues: IssueList): AuthPlan | undefined {
  const given = auth.object('apiKey');
  if (given === undefined) return undefined;
  const header = readHeader(given, 'header', issues);
  refuseTransportHeader(given, 'header', issues);
  return { kind: 'apiKey', header, secret: readSecretName(given, 'secret', issues) };
}

function readOAuth2(auth: Arguments, issues: IssueList): OAuth2Plan | undefined {
  const given = auth.object('oauth2');
  const tokenUrl = given && readAddress(given, 'tokenUrl', issues);
  if (given === undefined || tokenUrl === undefined) return undefined;
  return {
    kind: 'oauth2',
    tokenUrl: tokenUrl.mapping,
    client: readSecretName(given, 'client', issues),
    scope: given.text('scope'),
    clientAuth: given.requiredText('clientAuth') as OAuth2Plan['clientAuth'],
  };
}

const HMAC_HEADERS = ['signatureHeader', 'timestampHeader', 'nonceHeader', 'keyIdHeader'] as const;

function readHmac(auth: Arguments, issues: IssueList): HmacPlan | undefined {
  const given = auth.object('hmac');
  if (given === undefined) return undefined;
  const hasKeyId = given.has('keyId');
  checkParts(given, 'canonical', CANONICAL_PARTS, hasKeyId, issues);
  checkParts(given, 'signatureFormat', SIGNATURE_PARTS, hasKeyId, issues);
  checkHmacHeaders(given, issues);
  const algorithm = given.requiredText('algorithm') as HmacPlan['algorithm'];
  if (algorithm === 'SM3' && !getHashes().includes('sm3')) {
    const mend = 'run it by a Node whose OpenSSL was built with SM3';
    issues.add('BAD_VALUE', given.nodeOf('algorithm'), 'this Node has no SM3', mend);
  }
  const header = (name: (typeof HMAC_HEADERS)[number]) => readHeader(given, name, issues).toLowerCase();
  return {
    kind: 'hmac',
    secret: readSecretName(given, 'secret', issues),
    keyId: hasKeyId ? readSecretName(given, 'keyId', issues) : undefined,
    algorithm,
    encoding: given.requiredText('encoding') as HmacPlan['encoding'],
    canonical: given.requiredText('canonical'),
    signatureFormat: given.requiredText('signatureFormat'),
    signatureHeader: header('signatureHeader'),
    timestampHeader: header('timestampHeader'),
    timestampFormat: given.requiredText('timestampFormat') as HmacPlan['timestampFormat'],
    nonceHeader: header('nonceHeader'),
    keyIdHeader: header('keyIdHeader'),
  };
}

function checkParts(
  given: Arguments,
  name: string,
  parts: readonly string[],
  hasKeyId: boolean,
  issues: IssueList,
): void {
  const held = [...given.requiredText(name).matchAll(/\{([^}]*)\}/g)].map(([, part]) => part ?? '');
  for (const part of held.filter((one) => !parts.includes(one))) {
    issues.add(
      'BAD_VALUE',
      given.nodeOf(name),
      `'{${part}}' is no part of ${name}`,
      `known are ${parts.join(', ')}`,
    );
  }
  if (held.includes('keyId') && !hasKeyId)
    issues.add(
      'WRONG_TOGETHER',
      given.nodeOf(name),
      `${name} holds {keyId}, and there is no keyId`,
      'add keyId: the name of a secret',
    );
  const needed = name === 'canonical' ? ['path', 'bodyHash'] : ['signature'];
  if (!needed.some((part) => held.includes(part))) {
    const message = `${name} holds nothing of ${name === 'canonical' ? 'the request' : 'the signature'}`;
    issues.add('BAD_VALUE', given.nodeOf(name), message, `add {${needed.join('} or {')}}`);
  }
}

function checkHmacHeaders(given: Arguments, issues: IssueList): void {
  const seen = new Set<string>();
  for (const name of HMAC_HEADERS) {
    refuseTransportHeader(given, name, issues);
    const header = given.requiredText(name).toLowerCase();
    if (seen.has(header))
      issues.add(
        'WRONG_TOGETHER',
        given.nodeOf(name),
        `two values go into the header '${header}'`,
        `give ${name} another one`,
      );
    seen.add(header);
  }
}

function refuseTransportHeader(given: Arguments, name: string, issues: IssueList): void {
  if (TRANSPORT_HEADERS.includes(given.requiredText(name).toLowerCase()))
    issues.add(
      'BAD_VALUE',
      given.nodeOf(name),
      `the header '${given.requiredText(name)}' carries the message itself`,
      'give it one of its own',
    );
}

/** Certificates of an HTTP source. */
export function readTls(given: Arguments, issues: IssueList): TlsPlan | undefined {
  const tls = given.object('tls');
  if (tls === undefined) return undefined;
  const secret = (name: string) => (tls.has(name) ? readSecretName(tls, name, issues) : undefined);
  const plan: TlsPlan = { ca: secret('ca'), cert: secret('cert'), key: secret('key') };
  const missing = plan.cert === undefined ? 'cert' : 'key';
  if ((plan.cert === undefined) !== (plan.key === undefined)) {
    const message = 'a certificate and its key go together';
    issues.add('WRONG_TOGETHER', tls.node, message, `add ${missing}, or leave out the other`);
  } else if (plan.ca === undefined && plan.cert === undefined) {
    issues.add(
      'MISSING_ARGUMENT',
      tls.node,
      'tls names nothing',
      'give it ca, or cert and key, or leave it out',
    );
  }
  return plan;
}

/** WS-Security of a SOAP source. */
export function readSecurity(given: Arguments, issues: IssueList): WsSecurityPlan | undefined {
  const security = given.object('security');
  return (
    security && {
      usernameToken: readSecretName(security, 'usernameToken', issues),
      digest: security.flag('digest'),
      timestamp: security.flag('timestamp'),
    }
  );
}

/** The name of a header. */
export function readHeader(given: Arguments, name: string, issues: IssueList): string {
  const header = given.requiredText(name);
  if (!HEADER_NAME.test(header)) {
    issues.add(
      'BAD_VALUE',
      given.nodeOf(name),
      `'${header}' is no name of a header`,
      'expected letters, digits and -',
    );
  }
  return header;
}

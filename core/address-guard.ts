// Which addresses a system that others register may have (CWE-918): public ones, and exact host:port pairs that the configuration names.
import { lookup as resolveName } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { HubError, OperatorError } from './errors.ts';

/** Of one URL, in characters. */
export const URL_LENGTH_MAX = 2_048;
/** How long the check of a URL waits for its name to be resolved. */
export const RESOLVE_MS_MAX = 5_000;
/** Of one name: more are refused, for no real service has them. */
const ADDRESSES_MAX = 64;

/** https://www.iana.org/assignments/iana-ipv4-special-registry: all that is not globally reachable, and what clouds put beside. */
const NOT_PUBLIC_4: readonly (readonly [network: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  // Azure's metadata and DNS.
  ['168.63.129.16', 32],
  // Multicast, reserved, broadcast.
  ['224.0.0.0', 3],
];

/** https://www.iana.org/assignments/ipv6-unicast-address-assignments: outside of this nothing is global unicast, IPv4-mapped and NAT64 forms neither. */
const GLOBAL_UNICAST_6 = ['2000::', 3] as const;

/** https://www.iana.org/assignments/iana-ipv6-special-registry, of what lies in 2000::/3: Teredo and its neighbours, documentation, 6to4. */
const NOT_PUBLIC_6: readonly (readonly [network: string, prefix: number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

// One each: a single list would find every IPv4 address in the IPv6 network that holds them all.
const notPublic4 = new BlockList();
const global6 = new BlockList();
const notPublic6 = new BlockList();
for (const [network, prefix] of NOT_PUBLIC_4) notPublic4.addSubnet(network, prefix, 'ipv4');
global6.addSubnet(...GLOBAL_UNICAST_6, 'ipv6');
for (const [network, prefix] of NOT_PUBLIC_6) notPublic6.addSubnet(network, prefix, 'ipv6');

/** Whether an IP address, as text, is one of the public internet; false for what is no address. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !notPublic4.check(address, 'ipv4');
    case 6:
      return global6.check(address, 'ipv6') && !notPublic6.check(address, 'ipv6');
    default:
      return false;
  }
}

/**
 * Reads a setting of exact `host:port` pairs with commas between them; IPv6 in brackets.
 * @param setting its name, for errors
 * @throws OperatorError naming the first that is none: a host without a port would allow every port of it
 */
export function parseAllowedHosts(setting: string, text: string | undefined): ReadonlySet<string> {
  const given = (text ?? '').split(',').map((each) => each.trim());
  return new Set(given.filter((each) => each !== '').map((each) => requireHostAndPort(setting, each)));
}

/** As URL writes it: international names in ASCII, IPv6 in brackets. */
const HOST = /^([\w.-]+|\[[\da-f:]+\])$/;

function requireHostAndPort(setting: string, given: string): string {
  const port = /:(\d{1,5})$/.exec(given)?.[1];
  const url = port !== undefined && URL.canParse(`http://${given}`) ? new URL(`http://${given}`) : undefined;
  const isExact =
    url !== undefined &&
    HOST.test(url.hostname) &&
    url.pathname === '/' &&
    url.search + url.hash + url.username + url.password === '';
  if (isExact) return `${url.hostname}:${Number(port)}`;
  throw new OperatorError(`${setting}: ${JSON.stringify(given)} is not host:port`, { exitCode: 2 });
}

export interface PinnedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

export interface CheckedUrl {
  readonly url: URL;
  /** What its host resolved to when it was checked; at least one. */
  readonly addresses: readonly PinnedAddress[];
  /** For `connect` of node:net and of undici: gives these addresses, whatever the name resolves to by then. */
  readonly lookup: LookupFunction;
}

export interface AddressGuard {
  /**
   * What a URL says without asking anybody: its scheme, that it carries no credentials, and its host where that is an address.
   * Octal, hexadecimal and decimal forms of IPv4 are read as what they mean (https://url.spec.whatwg.org/#concept-ipv4-parser).
   * @throws HubError INVALID_URL
   */
  requireUrl(text: string): URL;
  /**
   * The same, and every address that its host resolves to.
   * @throws HubError INVALID_URL, also for a name that cannot be resolved within 5 s
   */
  check(text: string): Promise<CheckedUrl>;
  /**
   * For `connect` of node:net and of undici: resolves at each connection, and fails with INVALID_URL unless every address may be had.
   * An address in the URL itself is never looked up: `requireUrl` is what checks it.
   */
  lookupFor(url: URL): LookupFunction;
}

/** How names are resolved: as `dns.lookup` with `all`. */
export type ResolveName = (
  hostname: string,
  options: { readonly all: true; readonly verbatim: true },
  callback: (
    error: NodeJS.ErrnoException | null,
    addresses: readonly { readonly address: string; readonly family: number }[],
  ) => void,
) => void;

export interface AddressGuardOptions {
  /** `host:port`, as `parseAllowedHosts` gives them: these may be anywhere. */
  readonly allowedHosts: ReadonlySet<string>;
  /** Names the setting in refusals. */
  readonly setting: string;
  /** Default `dns.lookup`. */
  readonly resolve?: ResolveName | undefined;
}

/** @see AddressGuard */
export function createAddressGuard(options: AddressGuardOptions): AddressGuard {
  const { resolve = resolveName as ResolveName } = options;
  const isAllowed = (url: URL) => options.allowedHosts.has(hostAndPort(url));
  const requireUrl = (text: string) => {
    const url = parseUrl(text);
    const host = bareHost(url);
    if (isIP(host) !== 0 && !isPublicAddress(host) && !isAllowed(url)) throw refusal(url, options);
    return url;
  };
  return {
    requireUrl,
    async check(text) {
      const url = requireUrl(text);
      const addresses = await resolveWithin(url, resolve);
      if (!isAllowed(url) && !addresses.every(({ address }) => isPublicAddress(address)))
        throw refusal(url, options);
      return { url, addresses, lookup: (_, asked, callback) => answer(addresses, asked, callback) };
    },
    lookupFor(url) {
      return (hostname, asked, callback) => {
        resolve(hostname, { all: true, verbatim: true }, (error, found) => {
          if (error !== null) return callback(error, asked.all === true ? [] : '');
          // One that is not public among others refuses all: which is asked would be chance.
          const addresses = toPinned(found);
          const mayAsk = isAllowed(url) || addresses.every(({ address }) => isPublicAddress(address));
          if (addresses.length === 0 || !mayAsk)
            return callback(refusal(url, options), asked.all === true ? [] : '');
          answer(addresses, asked, callback);
        });
      };
    },
  };
}

function parseUrl(text: string): URL {
  const url = text.length <= URL_LENGTH_MAX && URL.canParse(text) ? new URL(text) : undefined;
  // None of these says the address, as `refusal` does not: a gateway would hide all that they say.
  if (url === undefined)
    throw invalid(`expected a URL of at most ${URL_LENGTH_MAX} characters that begins with http: or https:`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw invalid(
      `the URL begins with ${JSON.stringify(url.protocol.slice(0, 32))}: expected http: or https:`,
    );
  if (url.username !== '' || url.password !== '')
    throw invalid('the URL has credentials in it: a name or a password before the host');
  if (url.hash !== '') throw invalid('the URL has a fragment, which is never sent');
  return url;
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

function hostAndPort(url: URL): string {
  return `${url.hostname}:${url.port === '' ? DEFAULT_PORTS[url.protocol] : url.port}`;
}

function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

function resolveWithin(url: URL, resolve: ResolveName): Promise<readonly PinnedAddress[]> {
  return new Promise((settle, reject) => {
    const timer = setTimeout(
      () => reject(invalid(`${url.hostname} was not resolved within ${RESOLVE_MS_MAX} ms`)),
      RESOLVE_MS_MAX,
    );
    resolve(bareHost(url), { all: true, verbatim: true }, (error, found) => {
      clearTimeout(timer);
      const addresses = error === null ? toPinned(found) : [];
      if (addresses.length === 0) reject(invalid(`${url.hostname} cannot be resolved`, error));
      else settle(addresses);
    });
  });
}

/** Empty for too many. */
function toPinned(
  found: readonly { readonly address: string; readonly family: number }[],
): readonly PinnedAddress[] {
  if (found.length > ADDRESSES_MAX) return [];
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
}

function answer(
  addresses: readonly PinnedAddress[],
  { all, family }: Parameters<LookupFunction>[1],
  callback: Parameters<LookupFunction>[2],
): void {
  const asked = addresses.filter(
    (each) => !family || Number(String(family).replace('IPv', '')) === each.family,
  );
  const [first] = asked;
  if (all === true) callback(null, [...asked]);
  else if (first === undefined)
    callback(invalid('the host has no address of the family that is asked for'), '');
  else callback(null, first.address, first.family);
}

function refusal({ protocol, host }: URL, { setting }: AddressGuardOptions): HubError {
  // Without the address: what looks like one is kept from clients on its way through a gateway.
  const message = `the host is not on the public internet: ${setting} may name it, as host:port`;
  return new HubError('INVALID_URL', message, {
    retryable: false,
    hadNoEffect: true,
    details: { scheme: protocol.slice(0, -1), host },
  });
}

/** Retrying as it is cannot help, and nothing was sent. */
function invalid(message: string, cause?: unknown): HubError {
  return new HubError('INVALID_URL', message, { retryable: false, hadNoEffect: true, cause });
}

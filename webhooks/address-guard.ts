// Keeps deliveries from this machine, its neighbours on the link and the metadata of its cloud (CWE-918), whatever a name resolves to.
import { lookup as resolveName } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { HubError } from '@weft/core/errors';

/** https://www.iana.org/assignments/iana-ipv4-special-registry: this host, loopback, link-local with the metadata services, multicast and above. */
const FORBIDDEN_4: readonly (readonly [network: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['192.0.0.192', 32],
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
  ['224.0.0.0', 3],
];

/** The same of IPv6, and the forms in which an IPv4 address hides: those are forbidden whole. */
const FORBIDDEN_6: readonly (readonly [network: string, prefix: number])[] = [
  ['::', 96],
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2002::', 16],
  ['2001::', 32],
  ['fe80::', 10],
  ['fec0::', 10],
  ['fd00:ec2::254', 128],
  ['ff00::', 8],
];

// One each: a single list would find every IPv4 address in the IPv6 network that holds them all.
const forbidden4 = new BlockList();
const forbidden6 = new BlockList();
for (const [network, prefix] of FORBIDDEN_4) forbidden4.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of FORBIDDEN_6) forbidden6.addSubnet(network, prefix, 'ipv6');

/** Whether nothing is delivered to this IP address unless its host is allowed by name. */
export function isForbiddenAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return forbidden4.check(address, 'ipv4');
    case 6:
      return forbidden6.check(address, 'ipv6');
    default:
      return true;
  }
}

export interface AddressGuard {
  /** `host` or `host:port` of the setting: it may be anywhere, and be asked in clear text. */
  isAllowed(url: URL): boolean;
  /** Resolves a host for a connection, so that what is checked is what is connected to. */
  readonly lookup: LookupFunction;
  /** @throws HubError INVALID_URL for a host that is a forbidden address itself */
  requireHost(url: URL): void;
}

/** @param allowed hosts, with a port or without, in lower case */
export function createAddressGuard(allowed: ReadonlySet<string>): AddressGuard {
  const isAllowed = ({ hostname, host }: URL) => allowed.has(hostname) || allowed.has(host);
  return {
    isAllowed,
    lookup: (hostname, options, callback) => {
      resolveName(hostname, { ...options, all: true }, (error, addresses) => {
        if (error !== null) return callback(error, []);
        const usable = addresses.filter(({ address }) => !isForbiddenAddress(address));
        const [first] = usable;
        // One that is forbidden among others forbids all: which is asked would be chance.
        if (first === undefined || usable.length < addresses.length)
          return callback(refusal(hostname), options.all === true ? [] : '');
        if (options.all === true) callback(null, usable);
        else callback(null, first.address, first.family);
      });
    },
    requireHost(url) {
      const host = url.hostname.replace(/^\[|\]$/g, '');
      if (!isAllowed(url) && isIP(host) !== 0 && isForbiddenAddress(host)) throw refusal(url.host);
    },
  };
}

function refusal(host: string): HubError {
  return new HubError(
    'INVALID_URL',
    `${host} is an address of this machine, its link or its cloud: WEFT_WEBHOOKS_ALLOWED_HOSTS may name it`,
    { retryable: false },
  );
}

// Names under which systems tell one another who asks: from a client they are only its own claim, and never go on to a subgraph.

/** The hub's own. */
const OURS = /^x-(?:weft|hub)-/;

/** Those of proxies and frameworks that a subgraph may believe. */
const BELIEVED: ReadonlySet<string> = new Set([
  'remote-user',
  'x-auth-request-email',
  'x-auth-request-groups',
  'x-auth-request-user',
  'x-authenticated-groups',
  'x-authenticated-user',
  'x-authenticated-userid',
  'x-consumer-id',
  'x-consumer-username',
  'x-forwarded-email',
  'x-forwarded-groups',
  'x-forwarded-preferred-username',
  'x-forwarded-user',
  'x-principal',
  'x-remote-user',
  'x-roles',
  'x-scopes',
  'x-user',
  'x-user-id',
  'x-user-roles',
]);

/** @param name in lower case; a server that makes variables of headers takes `_` for `-` */
export function isIdentityHeader(name: string): boolean {
  const plain = name.replaceAll('_', '-');
  return OURS.test(plain) || BELIEVED.has(plain);
}

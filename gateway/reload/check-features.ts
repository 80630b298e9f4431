// Refuses a supergraph that asks for a feature which this gateway would not enforce: serving it would show what it forbids.
import { OperatorError } from '@weft/core/errors';
import { type ConstDirectiveNode, type DocumentNode, Kind } from 'graphql';

/**
 * Specifications that are executed or enforced here, by identity, with the highest version known
 * (https://specs.apollo.dev/link/v1.0/#for: what has a purpose may not be ignored).
 */
const ENFORCED: Readonly<Record<string, readonly [major: number, minor: number]>> = {
  'https://specs.apollo.dev/link': [1, 0],
  'https://specs.apollo.dev/core': [0, 2],
  'https://specs.apollo.dev/join': [0, 5],
  'https://specs.apollo.dev/inaccessible': [0, 2],
  'https://specs.apollo.dev/context': [0, 1],
  'https://specs.apollo.dev/tag': [0, 3],
  'https://specs.apollo.dev/authenticated': [0, 1],
  'https://specs.apollo.dev/requiresScopes': [0, 1],
  'https://specs.apollo.dev/policy': [0, 1],
  'https://specs.apollo.dev/cost': [0, 1],
};

const JOIN = 'https://specs.apollo.dev/join';

/** Access rules: to ignore them is never right, whatever purpose the supergraph gives them. */
const ACCESS_RULES: ReadonlySet<string> = new Set(
  ['authenticated', 'requiresScopes', 'policy'].map((name) => `https://specs.apollo.dev/${name}`),
);

/**
 * @param enforcesAccess false for an engine that knows no access rules
 * @throws OperatorError naming every such feature, or saying that the supergraph names no version of the join specification
 */
export function checkFeatures(document: DocumentNode, enforcesAccess = true): void {
  const links = linksOf(document);
  const refused = links.filter((link) => isNotEnforced(link, enforcesAccess));
  if (refused.length > 0) {
    const names = refused.map(({ url, purpose }) =>
      purpose === undefined ? url : `${url} (for: ${purpose})`,
    );
    const advice = enforcesAccess
      ? 'which this gateway does not enforce: compose it without'
      : 'which the engine apollo (WEFT_ENGINE, --engine) does not enforce: leave that to the engine weft, or compose it without';
    throw new OperatorError(`the supergraph asks for ${names.join(' and ')}, ${advice}`, { exitCode: 2 });
  }
  if (!links.some(({ url }) => url.startsWith(`${JOIN}/`)))
    throw new OperatorError(`the supergraph does not link ${JOIN}: give a Federation v2 supergraph`, {
      exitCode: 2,
    });
}

interface Link {
  readonly url: string;
  readonly purpose: string | undefined;
}

function isNotEnforced({ url, purpose }: Link, enforcesAccess: boolean): boolean {
  const parts = /^(.+)\/v(\d{1,9})\.(\d{1,9})\/?$/.exec(url);
  const identity = parts?.[1] ?? url;
  const isAccessRule = ACCESS_RULES.has(identity);
  if (isAccessRule && !enforcesAccess) return true;
  if (purpose === undefined && !isAccessRule) return false;
  const known = Object.hasOwn(ENFORCED, identity) ? ENFORCED[identity] : undefined;
  if (known === undefined || parts === null) return true;
  const [major, minor] = [Number(parts[2]), Number(parts[3])];
  return major !== known[0] || minor > known[1];
}

/** `@link` of Federation 2, and `@core` of its first supergraphs, under whatever name the schema links `link` itself by. */
function linksOf(document: DocumentNode): readonly Link[] {
  const directives = document.definitions.flatMap((node) =>
    node.kind === Kind.SCHEMA_DEFINITION || node.kind === Kind.SCHEMA_EXTENSION
      ? (node.directives ?? [])
      : [],
  );
  return directives.flatMap((directive) => {
    const url = textOf(directive, 'url') ?? textOf(directive, 'feature');
    return url === undefined ? [] : [{ url, purpose: textOf(directive, 'for') }];
  });
}

function textOf(directive: ConstDirectiveNode, name: string): string | undefined {
  const value = directive.arguments?.find((argument) => argument.name.value === name)?.value;
  return value?.kind === Kind.STRING || value?.kind === Kind.ENUM ? value.value : undefined;
}

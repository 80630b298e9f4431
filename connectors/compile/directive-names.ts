// Finds directives that no specification of the folder brings: composition would refuse them, or nobody would read them.
import { likeNames } from '@weft/core/like-names';
import { addCommonDefinitions } from '@weft/schema/common-definitions';
import {
  type ConstDirectiveNode,
  type DefinitionNode,
  type DocumentNode,
  Kind,
  specifiedDirectives,
  visit,
} from 'graphql';
import type { IssueList } from './build-issues.ts';
import { CONNECTOR_DIRECTIVES } from './directive-arguments.ts';
import type { SdlFolder } from './sdl-folder.ts';

/** What Federation 1 knew, and a folder without `@link` may use (https://www.apollographql.com/docs/graphos/reference/federation/versions). */
const FEDERATION_1 = ['key', 'external', 'requires', 'provides', 'extends', 'tag'];

/** A directive must be built in, defined in the folder, one of the connectors', or imported by `@link`. */
export function checkDirectiveNames(sdl: SdlFolder, issues: IssueList): void {
  const links = sdl.schemaDirectives.filter((directive) => directive.name.value === 'link').map(readLink);
  const known = new Set([
    ...specifiedDirectives.map((directive) => directive.name),
    ...CONNECTOR_DIRECTIVES.keys(),
    ...definedIn(addCommonDefinitions(sdl.document)),
    ...links.flatMap((link) => [link.namespace, ...link.imports]),
    ...(links.some((link) => link.namespace === 'federation') ? [] : FEDERATION_1),
    'link',
  ]);
  const namespaces = links.map((link) => `${link.namespace}__`);
  visit(sdl.document, {
    Directive(directive) {
      const name = directive.name.value;
      if (known.has(name) || namespaces.some((prefix) => name.startsWith(prefix))) return;
      const like = likeNames(name, known).map((each) => `@${each}`);
      const mend =
        like.length === 0
          ? `import it by @link(url: …, import: ["@${name}"]), or correct the name`
          : `like it is ${like.join(', ')}; another one is imported by @link(url: …, import: ["@${name}"])`;
      issues.add('UNKNOWN_DIRECTIVE', directive, `no directive '@${name}' is known here`, mend);
    },
  });
}

/** The name that a federation directive has in a document: as its `@link` imports it, or behind the namespace. */
export function directiveNameIn(definitions: readonly DefinitionNode[], name: string): string {
  const directives = definitions.flatMap((node) =>
    node.kind === Kind.SCHEMA_EXTENSION || node.kind === Kind.SCHEMA_DEFINITION
      ? (node.directives ?? [])
      : [],
  );
  const link = directives
    .filter((directive) => directive.name.value === 'link')
    .find((directive) => /\/federation\/v\d/.test(urlOf(directive)));
  if (link === undefined) return name;
  const { namespace, renamed } = readLink(link);
  return renamed.get(name) ?? `${namespace}__${name}`;
}

function urlOf(link: ConstDirectiveNode): string {
  const url = link.arguments?.find((node) => node.name.value === 'url')?.value;
  return url?.kind === Kind.STRING ? url.value : '';
}

function definedIn(document: DocumentNode): readonly string[] {
  return document.definitions.flatMap((node) =>
    node.kind === Kind.DIRECTIVE_DEFINITION ? [node.name.value] : [],
  );
}

interface Link {
  /** Under which what is not imported can be named: `federation__key`. */
  readonly namespace: string;
  readonly imports: readonly string[];
  /** The specification's names of the imported directives to those they have here. */
  readonly renamed: ReadonlyMap<string, string>;
}

/** https://specs.apollo.dev/link/v1.0/ */
function readLink(link: ConstDirectiveNode): Link {
  const argument = (name: string) => link.arguments?.find((node) => node.name.value === name)?.value;
  const [url, as, imports] = [argument('url'), argument('as'), argument('import')];
  const path = url?.kind === Kind.STRING ? url.value.replace(/\/v\d[^/]*$/, '') : '';
  const imported = imports?.kind === Kind.LIST ? imports.values.flatMap(importedName) : [];
  return {
    namespace: as?.kind === Kind.STRING ? as.value : (path.split('/').at(-1) ?? ''),
    imports: imported.map(([, name]) => name),
    renamed: new Map(imported),
  };
}

/** `"@key"`, or `{ name: "@key", as: "@primary" }`: the name there and the name here. */
function importedName(value: { readonly kind: string }): readonly (readonly [string, string])[] {
  const text = (node: unknown): string | undefined => {
    const { kind, value: given } = node as { readonly kind?: string; readonly value?: string };
    return kind === Kind.STRING ? given : undefined;
  };
  const fields = (value as { readonly fields?: readonly { name: { value: string }; value: unknown }[] })
    .fields;
  const given = (name: string) => text(fields?.find((field) => field.name.value === name)?.value);
  const name = text(value) ?? given('name');
  const imported = text(value) ?? given('as') ?? name;
  return imported?.startsWith('@') === true ? [[(name ?? imported).slice(1), imported.slice(1)]] : [];
}

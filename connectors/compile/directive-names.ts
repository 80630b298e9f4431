// Finds directives that no specification of the folder brings: composition would refuse them, or nobody would read them.
import { addCommonDefinitions } from '@weft/schema/common-definitions';
import { type ConstDirectiveNode, type DocumentNode, Kind, specifiedDirectives, visit } from 'graphql';
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
      const mend = `import it by @link(url: …, import: ["@${name}"]), or correct the name`;
      issues.add('UNKNOWN_DIRECTIVE', directive, `no directive '@${name}' is known here`, mend);
    },
  });
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
}

/** https://specs.apollo.dev/link/v1.0/ */
function readLink(link: ConstDirectiveNode): Link {
  const argument = (name: string) => link.arguments?.find((node) => node.name.value === name)?.value;
  const [url, as, imports] = [argument('url'), argument('as'), argument('import')];
  const path = url?.kind === Kind.STRING ? url.value.replace(/\/v\d[^/]*$/, '') : '';
  return {
    namespace: as?.kind === Kind.STRING ? as.value : (path.split('/').at(-1) ?? ''),
    imports: imports?.kind === Kind.LIST ? imports.values.flatMap(importedName) : [],
  };
}

/** `"@key"`, or `{ name: "@key", as: "@primary" }`. */
function importedName(value: { readonly kind: string }): readonly string[] {
  const text = (node: unknown): string | undefined => {
    const { kind, value: given } = node as { readonly kind?: string; readonly value?: string };
    return kind === Kind.STRING ? given : undefined;
  };
  const fields = (value as { readonly fields?: readonly { name: { value: string }; value: unknown }[] })
    .fields;
  const given = (name: string) => text(fields?.find((field) => field.name.value === name)?.value);
  const imported = text(value) ?? given('as') ?? given('name');
  return imported?.startsWith('@') === true ? [imported.slice(1)] : [];
}

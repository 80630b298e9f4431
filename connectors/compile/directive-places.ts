// Finds connector directives that stand where nothing reads them.
import { type ASTNode, type DocumentNode, Kind, visit } from 'graphql';
import type { IssueList } from './build-issues.ts';
import { CONNECTOR_DIRECTIVES } from './directive-arguments.ts';

const LOCATIONS: Readonly<Partial<Record<Kind, string>>> = {
  [Kind.SCHEMA_DEFINITION]: 'SCHEMA',
  [Kind.SCHEMA_EXTENSION]: 'SCHEMA',
  [Kind.OBJECT_TYPE_DEFINITION]: 'OBJECT',
  [Kind.OBJECT_TYPE_EXTENSION]: 'OBJECT',
  [Kind.FIELD_DEFINITION]: 'FIELD_DEFINITION',
};

/** A directive that is stripped and never read would be a silent mistake. */
export function checkDirectivePlaces(document: DocumentNode, issues: IssueList): void {
  visit(document, {
    Directive(directive, _key, _parent, _path, ancestors) {
      const known = CONNECTOR_DIRECTIVES.get(directive.name.value);
      const owner = ancestors.at(-1) as ASTNode | undefined;
      if (known === undefined || owner === undefined) return;
      const location = LOCATIONS[owner.kind] ?? owner.kind;
      if (!known.locations.includes(location)) {
        const mend = `it stands on ${known.locations.join(' or ')}`;
        issues.add('MISPLACED', directive, `@${directive.name.value} says nothing here`, mend);
      }
      const siblings = 'directives' in owner ? (owner.directives ?? []) : [];
      const first = siblings.find((sibling) => sibling.name.value === directive.name.value);
      if (!known.repeatable && first !== undefined && first !== directive) {
        issues.add('MISPLACED', directive, `@${directive.name.value} stands here twice`, 'keep one');
      }
    },
  });
}

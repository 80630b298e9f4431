// Finds names of types that are nowhere defined.
import { likeNames } from '@weft/core/like-names';
import { addCommonDefinitions } from '@weft/schema/common-definitions';
import { isTypeDefinitionNode, isTypeExtensionNode, specifiedScalarTypes, type TypeNode } from 'graphql';
import type { IssueList } from './build-issues.ts';
import { namedType, type SdlFolder } from './sdl-folder.ts';

/** The types of fields and of their arguments must be defined in the folder, or be common ones. */
export function checkTypeNames(sdl: SdlFolder, issues: IssueList): void {
  const known = new Set(specifiedScalarTypes.map((type) => type.name));
  for (const node of addCommonDefinitions(sdl.document).definitions) {
    if (isTypeDefinitionNode(node) || isTypeExtensionNode(node)) known.add(node.name.value);
  }
  const check = (type: TypeNode): void => {
    const name = namedType(type);
    if (known.has(name)) return;
    const like = likeNames(name, known);
    const mend =
      like.length === 0
        ? 'define it in the folder; of another system a stub: type X @key(fields: "id", resolvable: false) { id: ID! }'
        : `like it is ${like.join(', ')}; else define it in the folder`;
    issues.add('UNKNOWN_TYPE', type, `no type '${name}' is defined`, mend);
  };
  for (const type of sdl.objects.values()) {
    for (const field of type.fields.values()) {
      check(field.type);
      for (const argument of field.arguments ?? []) check(argument.type);
    }
  }
}

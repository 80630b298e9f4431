// Prints a member's declarations as the SDL that it would publish.
import type { FieldDeclaration, Member, TypeDeclaration } from './model.ts';

const LINK = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requires", "@provides", "@external", "@shareable", "@inaccessible", "@tag", "@override", "@interfaceObject", "@context", "@fromContext", "@composeDirective"])`;

export function printMember(member: Member): string {
  const head = member.version === 2 ? [[LINK, ...member.schemaDirectives].join('\n  ')] : [];
  const types = [...member.types.values()].map((type) => printType(member, type));
  const unions = [...member.unions].map(([name, types]) => `union ${name} = ${types.join(' | ')}`);
  return `${[...head, ...member.definitions, ...types, ...unions].join('\n\n')}\n`;
}

/** A type of which a member knows the key alone need not be resolvable there: half of them are not. */
export function isResolvable(member: Member, type: TypeDeclaration): boolean {
  if (member.version === 1 || type.kind === 'interface' || type.isInterfaceObject) return true;
  const isStub = type.keys.length === 1 && type.fields.size === 1 && type.keys[0] === 'id';
  return !isStub || type.name.length % 2 === 0;
}

/** The keys by which the member answers for the type. */
export function resolvableKeys(member: Member, type: TypeDeclaration): readonly string[] {
  return isResolvable(member, type) ? type.keys : [];
}

function printType(member: Member, type: TypeDeclaration): string {
  const isRoot = type.name === 'Query' || type.name === 'Mutation';
  const keyword = type.isExtension || (isRoot && member.version === 1) ? `extend ${type.kind}` : type.kind;
  const heritage = type.implements.length === 0 ? '' : ` implements ${type.implements.join(' & ')}`;
  const resolvable = isResolvable(member, type) ? '' : ', resolvable: false';
  const keys = type.keys.map((key) => `@key(fields: ${JSON.stringify(key)}${resolvable})`);
  const directives = [...keys, ...(type.isInterfaceObject ? ['@interfaceObject'] : []), ...type.directives];
  const fields = [...type.fields.values()].map(printField);
  return `${keyword} ${type.name}${heritage} ${directives.join(' ')} {\n${fields.join('\n')}\n}`;
}

function printField(field: FieldDeclaration): string {
  const args = field.args === undefined ? '' : `(${field.args})`;
  return `  ${field.name}${args}: ${field.type} ${field.directives ?? ''}`.trimEnd();
}

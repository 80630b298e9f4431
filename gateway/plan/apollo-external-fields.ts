// Keeps Apollo's planner from asking a system for what is `@external` there.
import { type CompositeType, Field, federationMetadata, isUnionType } from '@apollo/federation-internals';

let isMended = false;

/**
 * To save a fetch the planner moves fields into an earlier fetch wherever that system's schema has fields of these names,
 * even those that it only names for its own `@requires`: a chain of `@requires` then asks the wrong system. The library has
 * no seam for this, so its one question "has this type such a field" is answered anew, for all who use it in this process,
 * which plans and does nothing else.
 */
export function keepExternalFieldsApart(): void {
  if (isMended) return;
  isMended = true;
  const { typeIfAddedTo } = Field.prototype;
  Field.prototype.typeIfAddedTo = function (this: Field, parentType) {
    const type = typeIfAddedTo.call(this, parentType);
    return type === undefined || isExternalIn(this, parentType) ? undefined : type;
  };
}

/** A field of the very type that is asked about is there already, whatever it is. */
function isExternalIn(field: Field, parentType: CompositeType): boolean {
  if (isUnionType(parentType) || parentType === field.definition.parent) return false;
  const own = parentType.field(field.name);
  return own !== undefined && federationMetadata(parentType.schema())?.isFieldExternal(own) === true;
}

// The facts of a WSDL or OpenAPI contract: its operations, what they take and answer, and the types.
import type { Contract, ContractType, Shape } from '../discover/contract-model.ts';
import type { Structure } from './structure.ts';

export function structureOfContract({ operations, types }: Contract): Structure {
  const facts = new Map<string, string>();
  const nameOf = (id: string) => types.get(id)?.name ?? id;
  for (const { id, inputs, answer } of operations) {
    facts.set(
      `operation ${id}`,
      `answers ${answer.isList ? 'a list of ' : ''}${shapeText(answer.shape, nameOf)}`,
    );
    for (const input of inputs)
      facts.set(
        `operation ${id}: argument ${input.name}`,
        `${shapeText(input.shape, nameOf)}${input.isRequired ? ', must be there' : ''}`,
      );
  }
  for (const type of types.values()) addType(type, nameOf, facts);
  return facts;
}

function addType(type: ContractType, nameOf: (id: string) => string, facts: Map<string, string>): void {
  if (type.kind === 'enum') {
    for (const value of type.values) facts.set(`${type.name}: value ${value}`, '');
    return;
  }
  for (const { name, shape } of type.members) facts.set(`${type.name}.${name}`, shapeText(shape, nameOf));
}

function shapeText(shape: Shape, nameOf: (id: string) => string): string {
  switch (shape.kind) {
    case 'scalar':
      return shape.type;
    case 'list':
      return `[${shapeText(shape.of, nameOf)}]`;
    case 'named':
      return nameOf(shape.id);
    default:
      return shape satisfies never;
  }
}

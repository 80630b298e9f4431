// What every kind of contract is read to, before it becomes SDL: operations, types, and what could not be taken along.

export type Scalar = 'ID' | 'String' | 'Int' | 'Float' | 'Boolean' | 'DateTime';

/** What a value is. Objects and enums are named by an id, so that types may hold one another. */
export type Shape =
  | { readonly kind: 'scalar'; readonly type: Scalar }
  /** Loose: a list of one may come without its list, and one of none not at all. */
  | { readonly kind: 'list'; readonly of: Shape; readonly isLoose?: boolean }
  | { readonly kind: 'named'; readonly id: string };

/** One field of an object, under the name that the old system gives it. */
export interface Member {
  readonly name: string;
  /** Where its value is, from the object at hand, by old names; default the name alone. */
  readonly path?: readonly string[];
  readonly description?: string | undefined;
  readonly shape: Shape;
  /** A time as the contract shows one, where the type says no more than text: what is answered is read as a time. */
  readonly timeExample?: string | undefined;
  /** As part of an input: whether it must be there. */
  readonly isRequired?: boolean | undefined;
  /** What a person should look at. */
  readonly check?: string | undefined;
}

export type ContractType =
  | {
      readonly kind: 'object';
      readonly id: string;
      /** As the old system calls it, or would. */
      readonly name: string;
      readonly description?: string | undefined;
      readonly members: readonly Member[];
    }
  | {
      readonly kind: 'enum';
      readonly id: string;
      readonly name: string;
      readonly description?: string | undefined;
      /** The old system's values. */
      readonly values: readonly string[];
    };

/** An argument that a call takes. */
export interface Input {
  readonly name: string;
  readonly description?: string | undefined;
  readonly shape: Shape;
  readonly isRequired: boolean;
  /** Part of an address: it names one thing. */
  readonly isInPath?: boolean;
  readonly check?: string | undefined;
}

/** The mapping of an input: `$args.x`, `$batch.id->first`. */
export type InputTexts = ReadonlyMap<Input, string>;

export interface Answer {
  /** From `$`, by old names. */
  readonly path: readonly string[];
  readonly isList: boolean;
  readonly shape: Shape;
  /** True when one element of a list may come without its list. */
  readonly isLoose: boolean;
  /** Of a write: the contract does not say what it answers. */
  readonly isUnsaid?: boolean;
}

export interface Operation {
  /** As the contract calls it. */
  readonly id: string;
  /** As the field of Query could be called; made a GraphQL name later. */
  readonly name: string;
  readonly description?: string | undefined;
  readonly isRead: boolean;
  /** Why it is a read, or is not, where the contract does not say so itself. */
  readonly check?: string | undefined;
  readonly inputs: readonly Input[];
  readonly answer: Answer;
  /** The call as it stands in `@connect`, `http: { GET: … }`. */
  call(texts: InputTexts): string;
  /** How keys of many can be sent in one call, when the input that takes them is a list. */
  readonly batchHow?: 'LIST_PARAM' | 'JSON_BODY' | 'SOAP_ARRAY';
}

/** Something that the draft does not have. */
export interface LeftOut {
  /** The operation, type or field. */
  readonly what: string;
  readonly why: string;
}

export interface Contract {
  /** For people. */
  readonly title: string | undefined;
  readonly types: ReadonlyMap<string, ContractType>;
  readonly operations: readonly Operation[];
  readonly leftOut: readonly LeftOut[];
}

/** The types of one contract as they are found; bounded. */
export interface TypeTable {
  readonly types: Map<string, ContractType>;
  readonly leftOut: LeftOut[];
}

// What a mapping sees, and what it is once compiled.
import type { MappingRoot } from './parser.ts';
import type { MappingShape } from './shape.ts';

/** What a mapping can see. Every part is optional; a name that is absent is null. */
export interface MappingScope {
  /** `$`: the answer, the row, the event's data. */
  readonly $?: unknown;
  readonly args?: Readonly<Record<string, unknown>>;
  /** The parent object of a field. */
  readonly this?: Readonly<Record<string, unknown>>;
  /** Key field to the keys gathered for one call. */
  readonly batch?: Readonly<Record<string, readonly unknown[]>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The named levels of the topic that a message came on. */
  readonly topic?: Readonly<Record<string, string>>;
  /** What the protocol says of a message beside its body. */
  readonly message?: Readonly<Record<string, unknown>>;
  /** Where the answer of a call by message is awaited. */
  readonly call?: Readonly<Record<string, string>>;
  /** Who a live field is for: `key`. */
  readonly principal?: Readonly<Record<string, string>> | undefined;
  /** IANA zone for `->dateTime` of a text without an offset; default Asia/Shanghai. */
  readonly timezone?: string;
  /** Told of a value that a `->match` without a default does not know: the result is null. */
  readonly onUnknownValue?: (value: unknown) => void;
}

export interface Mapping {
  readonly text: string;
  evaluate(scope: MappingScope): unknown;
}

/** A mapping with what is known of it before it runs. */
export interface CompiledMapping extends Mapping {
  /** The tree of names and lists that it yields, as far as the text says. */
  readonly shape: MappingShape;
  /** Every `$root.name` and `$.name` that it reads; `name` is undefined for `$root` and `$` alone. */
  readonly references: readonly MappingReference[];
}

export interface MappingReference {
  readonly root: MappingRoot | '$';
  readonly name: string | undefined;
  /** Offset in UTF-16 units into the text. */
  readonly offset: number;
}

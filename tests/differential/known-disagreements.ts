// The classes of disagreement that are accepted, each with its reason, and one example each in known/.
import type { Answer } from './compare.ts';
import type { EngineName } from './engines.ts';
import type { Feature } from './features.ts';

export interface Disagreement {
  readonly features: ReadonlySet<Feature>;
  readonly query: string;
  readonly got: Answer;
  readonly what: string;
}

export interface KnownClass {
  readonly name: string;
  readonly engine: EngineName;
  readonly reason: string;
  holds(disagreement: Disagreement): boolean;
}

/** None of ours: whatever our engine answers otherwise than the monolith is a mistake to mend. */
export const KNOWN_CLASSES: readonly KnownClass[] = [
  {
    name: 'apollo takes what is hidden for invalid',
    engine: 'apollo',
    reason:
      'A value of a type or an enum value that is @inaccessible is null to clients. @apollo/gateway says so in `extensions.valueCompletion` too, as if a subgraph were wrong.',
    holds: ({ what, got }) =>
      what === 'errors that are none' &&
      got.errors.every(({ message }) => /^Invalid (value|__typename) found/.test(message)),
  },
  {
    name: 'apollo leaves nulls unexplained',
    engine: 'apollo',
    reason: 'What completion finds is told only when no subgraph told an error.',
    holds: ({ what }) => what === 'a null is not explained',
  },
  {
    name: 'apollo writes fields in another order',
    engine: 'apollo',
    reason:
      'Where fields of one object come from several places of the selection, CollectFields gives the order.',
    holds: ({ what }) => what === 'order of fields',
  },
  {
    name: 'apollo lets an alias hide a key',
    engine: 'apollo',
    reason: "A client's alias with the name of a key's field is taken for the key.",
    holds: ({ query }) => /\bid: (?!id\b)/.test(query),
  },
  {
    name: 'apollo does not know percentages',
    engine: 'apollo',
    reason: 'Labels `percent(n)` of progressive @override are conditions that @apollo/gateway never sets.',
    holds: ({ features }) => features.has('progressive @override'),
  },
  {
    name: 'apollo mixes up arguments of required fields',
    engine: 'apollo',
    reason: "A @requires with arguments overwrites the client's own arguments, or takes the client's value.",
    holds: ({ features }) => features.has('@requires with arguments'),
  },
  {
    name: 'apollo skips links of a chain of @requires',
    engine: 'apollo',
    reason: 'A nested @requires that another @requires needs is planned as if its input were at hand.',
    holds: ({ features }) => features.has('nested @requires'),
  },
  {
    name: 'apollo makes all required fields of a fetch conditional',
    engine: 'apollo',
    reason:
      'A field with @requires under @skip or @include makes its input conditional; the fields beside it, fetched together, are lost with it.',
    holds: ({ features }) => features.has('@requires') && features.has('@skip and @include'),
  },
  {
    name: 'apollo loses the types behind an interface object',
    engine: 'apollo',
    reason:
      'What a member with @interfaceObject returns is asked for its type, or for its key, by some plans too late or not at all.',
    holds: ({ features }) => features.has('@interfaceObject'),
  },
];

/** The name of the class that explains a disagreement. */
export function classOf(engine: EngineName, disagreement: Disagreement): string | undefined {
  return KNOWN_CLASSES.find((known) => known.engine === engine && known.holds(disagreement))?.name;
}

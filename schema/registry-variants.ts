// The variants of a proposed graph: which there are, and which would be lost.
import { filterSupergraph } from './contract/contract.ts';
import type { ContractFilter } from './contract/contract-filter.ts';
import type { Problem, UnplacedProblem } from './problem.ts';

/** A variant that the registry is to make of each graph. */
export interface WantedVariant {
  readonly name: string;
  readonly filter: ContractFilter;
  /** Whether the graph of now has it. */
  readonly isServed: boolean;
}

export interface MadeVariants {
  /** By name; those that can be had. */
  readonly supergraphs: Readonly<Record<string, string>>;
  /** Of variants that there are now and would not be any more. */
  readonly lost: readonly Problem[];
  /** Of variants that there are not now either, and what their filters say. */
  readonly hints: readonly Problem[];
}

/** Pure. @throws OperatorError when the text is no supergraph */
export function makeVariants(supergraphSdl: string, wanted: readonly WantedVariant[]): MadeVariants {
  const made = wanted.map((variant) => ({ ...variant, ...filterSupergraph(supergraphSdl, variant.filter) }));
  const whole = made.flatMap(({ name, supergraphSdl: sdl }) => (sdl === undefined ? [] : [[name, sdl]]));
  return {
    supergraphs: Object.fromEntries(whole),
    lost: made.flatMap(({ name, isServed, errors = [] }) =>
      isServed ? errors.map((error) => problemOf(name, 'ERROR', error)) : [],
    ),
    hints: made.flatMap((variant) => {
      const errors = variant.isServed ? [] : (variant.errors ?? []);
      const found = 'hints' in variant ? (variant.hints ?? []) : [];
      return [...errors, ...found].map((hint) => problemOf(variant.name, 'WARN', hint));
    }),
  };
}

function problemOf(variant: string, level: 'ERROR' | 'WARN', problem: UnplacedProblem): Problem {
  return { ...problem, level, message: `variant ${variant}: ${problem.message}`, locations: [] };
}

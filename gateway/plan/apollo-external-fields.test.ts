// Laws of fields that a system only names: nobody asks it for them.
import { compose } from '@weft/schema/compose';
import { parse } from 'graphql';
import { expect, it } from 'vitest';
import { createApolloPlanner } from './apollo-planner.ts';
import { NO_OVERRIDES } from './planner.ts';
import { printPlan } from './print-plan.ts';

const LINK =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires"])';
const DEPOT = `${LINK}
type Query { trams: [Tram] }
type Tram @key(fields: "id") { id: ID! weight: Int @external load: Int @requires(fields: "weight") }`;
const YARD = `${LINK}
type Tram @key(fields: "id") { id: ID! weight: Int load: Int @external track: String @requires(fields: "load") }`;

it('asks each link of a chain of @requires of the system that has it, though the one before names it too', () => {
  const { supergraphSdl, errors } = compose([
    { name: 'depot', sdl: DEPOT, url: 'http://depot' },
    { name: 'yard', sdl: YARD, url: 'http://yard' },
  ]);
  expect(errors).toBeUndefined();
  const planner = createApolloPlanner(supergraphSdl ?? '');
  const plan = planner.plan({
    document: parse('{ trams { track } }'),
    operationName: undefined,
    overrides: NO_OVERRIDES,
  });
  expect(printPlan(plan)).toBe(`planner: apollo
one after the other
  ask depot
    {
      trams {
        __typename
        id
      }
    }
  ask yard for trams[]
    by { ... on Tram { __typename id } }
    {
      ... on Tram {
        weight
      }
    }
  ask depot for trams[]
    by { ... on Tram { __typename id weight } }
    {
      ... on Tram {
        load
      }
    }
  ask yard for trams[]
    by { ... on Tram { __typename load id } }
    {
      ... on Tram {
        track
      }
    }
`);
});

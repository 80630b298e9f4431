// Laws of refusing supergraphs that name what they do not have.
import { readFileSync } from 'node:fs';
import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { checkReferences } from './check-references.ts';

const supergraph = (shop: string, query = '@join__type(graph: A)') => `
enum join__Graph { A @join__graph(name: "a", url: "http://127.0.0.1:1/") }
interface Place @join__type(graph: A, key: "id") { id: ID! }
type Query ${query} { shops: [Shop!]! @join__field(graph: A, provides: "owner { name }") }
type Owner @join__type(graph: A) { name: String }
type Shop implements Place ${shop} { id: ID! owner: Owner place: Place name: String }`;

describe('the references of a supergraph', () => {
  it.each([
    ['@join__type(graph: A, key: "id")'],
    ['@join__type(graph: A, key: "id owner { name }")'],
    ['@join__type(graph: A, key: "__typename place { ... on Shop { id } ... { id } }")'],
  ])('are accepted where they lead somewhere: %s', (shop) => {
    expect(() => checkReferences(parse(supergraph(shop)))).not.toThrow();
  });

  it.each([
    ['@join__type(graph: B)', 'Shop is of the graph B, which there is not'],
    ['@join__type(graph: A, key: "ID")', 'Shop has key "ID": Shop has no field ID'],
    ['@join__type(graph: A, key: "owner { age }")', 'Shop has key "owner { age }": no type has a field age'],
    ['@join__type(graph: A, key: "constructor")', 'Shop has no field constructor'],
    ['@join__type(graph: A, key: "id }")', 'Shop has key "id }": expected fields'],
    ['@join__type(graph: A, key: "...F")', 'expected no fragment by name'],
    ['@join__type(graph: A, key: "place { ... on Nothing { id } }")', 'Nothing has no field id'],
  ])('are refused by coordinate where they do not: %s', (shop, finding) => {
    expect(() => checkReferences(parse(supergraph(shop)))).toThrow(finding);
  });

  it('of the committed supergraph lead somewhere', () => {
    const file = new URL('../../schema/supergraph.graphql', import.meta.url);
    expect(() => checkReferences(parse(readFileSync(file, 'utf8')))).not.toThrow();
  });
});

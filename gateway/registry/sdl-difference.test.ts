// Laws of comparing what a subgraph serves with what the graph was composed of.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compose, type Subgraph } from '@weft/schema/compose';
import { describe, expect, it } from 'vitest';
import { differencesOf, readComposedOf } from './sdl-difference.ts';

const LINK =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires", "@override", "@shareable", "@inaccessible"])\n';
const SHOPS = `${LINK}type Query { shops(first: Int): [Shop!] } type Shop @key(fields: "id") { id: ID! name: String size: Size secret: Int @inaccessible }
enum Size { SMALL LARGE } input Where { name: String }`;
const HOURS = `${LINK}type Query { find(where: Where): Shop } input Where { name: String near: String }
type Shop @key(fields: "id") { id: ID! name: String @external opens: Int @requires(fields: "name") }`;

function composed(...sdls: readonly string[]) {
  const members: Subgraph[] = sdls.map((sdl, n) => ({
    name: ['shops', 'hours'][n] ?? '',
    url: `http://s${n}/`,
    sdl,
  }));
  const { supergraphSdl, errors } = compose(members);
  if (supergraphSdl === undefined) throw new Error(JSON.stringify(errors));
  return readComposedOf(supergraphSdl);
}

describe('the SDL of a live subgraph', () => {
  it('does not differ from what was composed, whatever composition keeps to itself', () => {
    const graph = composed(SHOPS, HOURS);
    expect(differencesOf(graph, 'shops', SHOPS)).toEqual([]);
    expect(differencesOf(graph, 'hours', HOURS)).toEqual([]);
  });

  it('does not differ for being written otherwise, nor for what a library adds', () => {
    const graph = composed(SHOPS, HOURS);
    const written = `schema { query: Root } ${SHOPS.replace('type Query', 'type Root').replace('extend schema', 'extend schema')}
      extend type Root { _service: _Service! _entities(representations: [_Any!]!): [_Entity]! } scalar _Any type _Service { sdl: String } union _Entity = Shop`;
    expect(differencesOf(graph, 'shops', written)).toEqual([]);
  });

  it('does not differ where a field has moved to another by @override', () => {
    const hours = HOURS.replace(
      'name: String @external opens: Int @requires(fields: "name")',
      'name: String @override(from: "shops")',
    );
    const graph = composed(SHOPS, hours);
    expect(differencesOf(graph, 'shops', SHOPS)).toEqual([]);
    expect(differencesOf(graph, 'hours', hours)).toEqual([]);
  });

  it.each([
    ['lacks a field', ['name: String', ''], ['Shop.name is not there']],
    [
      'has a field under another name',
      ['name: String', 'title: String'],
      ['Shop.name is not there', 'Shop.title is new'],
    ],
    ['has another type', ['name: String', 'name: Int'], ['Shop.name is Int, and was String']],
    ['can be null now', ['[Shop!]', '[Shop]'], ['Query.shops is [Shop], and was [Shop!]']],
    ['lacks an enum value', ['SMALL LARGE', 'SMALL'], ['Size.LARGE is not there']],
    [
      'lacks a field that clients do not see',
      ['secret: Int @inaccessible', ''],
      ['Shop.secret is not there'],
    ],
    ['has one more', ['name: String', 'name: String phone: String'], ['Shop.phone is new']],
  ] as const)('differs when it %s', (_what, [from, to], differences) => {
    const shops = SHOPS.replace(from, to);
    expect(differencesOf(composed(SHOPS, HOURS), 'shops', shops)).toEqual(differences);
  });

  it('of each of the hub’s owned subgraphs is that of the committed graph', () => {
    const root = join(import.meta.dirname, '../..');
    const graph = readComposedOf(readFileSync(join(root, 'schema/supergraph.graphql'), 'utf8'));
    // Of wrapped systems the graph has more than their folder: what the connector host adds.
    const isOwned = (name: string) => existsSync(join(root, 'subgraphs', name, 'resolvers.ts'));
    const names = [...graph.bySystem.keys()].filter(isOwned);
    expect(names.length).toBeGreaterThan(1);
    for (const name of names) {
      const folder = join(root, 'subgraphs', name);
      const files = readdirSync(folder).filter((file) => file.endsWith('.graphql'));
      const sdl = files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n');
      expect(differencesOf(graph, name, sdl), name).toEqual([]);
    }
  });
});

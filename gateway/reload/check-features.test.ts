// Laws of refusing supergraphs whose features would not be enforced.
import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { checkFeatures } from './check-features.ts';

const SPECS = 'https://specs.apollo.dev';
const supergraph = (...links: readonly string[]) =>
  `schema ${links.join(' ')} { query: Query } type Query { a: Int }`;
const link = (spec: string, purpose?: string) =>
  `@link(url: "${spec}"${purpose === undefined ? '' : `, for: ${purpose}`})`;
const LINK = link(`${SPECS}/link/v1.0`);
const JOIN = link(`${SPECS}/join/v0.3`, 'EXECUTION');

describe('the features of a supergraph', () => {
  it.each([
    [link(`${SPECS}/join/v0.3`, 'EXECUTION')],
    [link(`${SPECS}/join/v0.5`, 'EXECUTION')],
    [link(`${SPECS}/inaccessible/v0.2`, 'SECURITY')],
    [link(`${SPECS}/context/v0.1`, 'SECURITY')],
    [link(`${SPECS}/tag/v0.3`)],
    [link(`${SPECS}/authenticated/v0.1`, 'SECURITY')],
    [link(`${SPECS}/requiresScopes/v0.1`, 'SECURITY')],
    [link(`${SPECS}/policy/v0.1`)],
    [link('https://specs.weft.dev/events/v0.1')],
    [
      '@core(feature: "https://specs.apollo.dev/core/v0.2") @core(feature: "https://specs.apollo.dev/join/v0.1", for: EXECUTION)',
    ],
  ])('are accepted: %s', (links) => {
    expect(() => checkFeatures(parse(supergraph(LINK, links, JOIN)))).not.toThrow();
  });

  it.each([
    ['authenticated/v0.2', 'SECURITY'],
    ['requiresScopes/v1.0', 'SECURITY'],
    ['policy/v0.2', undefined],
    ['connect/v0.1', 'EXECUTION'],
    ['join/v0.6', 'EXECUTION'],
    ['join/v1.0', 'EXECUTION'],
    ['__proto__/v0.1', 'EXECUTION'],
    ['inaccessible', 'SECURITY'],
  ])('are refused by name where nothing enforces them: %s for %s', (spec, purpose) => {
    const url = `${SPECS}/${spec}`;
    const given = supergraph(LINK, link(url, purpose), link(`${SPECS}/join/v0.3`, 'EXECUTION'));
    const named = purpose === undefined ? url : `${url} (for: ${purpose})`;
    expect(() => checkFeatures(parse(given))).toThrow(
      `the supergraph asks for ${named}, which this gateway does not enforce: compose it without`,
    );
  });

  it('are looked for in extensions of the schema too', () => {
    const given = `${supergraph(LINK)} extend schema ${link(`${SPECS}/policy/v0.2`, 'SECURITY')}`;
    expect(() => checkFeatures(parse(given))).toThrow('policy');
  });

  it.each(['authenticated', 'requiresScopes', 'policy'])(
    'are refused for an engine that knows no access rules: %s',
    (name) => {
      const given = supergraph(LINK, link(`${SPECS}/${name}/v0.1`), link(`${SPECS}/join/v0.3`, 'EXECUTION'));
      expect(() => checkFeatures(parse(given), false)).toThrow(
        `the supergraph asks for ${SPECS}/${name}/v0.1, which the engine apollo (WEFT_ENGINE, --engine) does not enforce`,
      );
    },
  );

  it('name the join specification, or there is nothing to execute by', () => {
    expect(() => checkFeatures(parse(supergraph(LINK)))).toThrow(
      'the supergraph does not link https://specs.apollo.dev/join: give a Federation v2 supergraph',
    );
  });
});

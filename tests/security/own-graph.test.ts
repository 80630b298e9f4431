// This project's own graph: every coordinate that it guards, by every way, for everyone; its systems replaced by ones that mark their values.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createLogger } from '@weft/core/logger';
import { createEngine, type GatewayEngine } from '@weft/gateway/execute/create-engine';
import { ANONYMOUS, createPrincipal, type Principal } from '@weft/gateway/identity/principal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SubgraphServer } from '../gateway/subgraph-server.ts';
import { wrongAnswers } from './judge-answer.ts';
import { markOf, startMarkingSubgraph } from './marking-subgraph.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const SUPERGRAPH = readFileSync(join(ROOT, 'schema', 'supergraph.graphql'), 'utf8');

/** The subgraphs that the supergraph was composed of, as the library takes it apart; the synthetic one has no address. */
function membersOf(supergraphSdl: string): readonly { readonly name: string; readonly sdl: string }[] {
  const library = createRequire(join(ROOT, 'gateway/package.json'))('@apollo/federation-internals');
  const supportedFeatures = library.ROUTER_SUPPORTED_SUPERGRAPH_FEATURES;
  const members = library.Supergraph.build(supergraphSdl, { supportedFeatures }).subgraphs().values();
  return [...members]
    .filter(({ name }) => name !== 'events')
    .map((member) => ({ name: member.name, sdl: member.toString() }));
}

const SCOPE = 'personal-information:read';
const CONNECTORS_SCOPE = 'connectors:read';
const OPERATORS_SCOPE = 'connectors:operate';
/** Or one of those who publish and approve, whom nobody here is. */
const REGISTRY_SCOPE = 'registry:read';

/** What the reporter said, wherever it stands, and who they are. */
const PERSONAL = [
  'HotlineOrder.content',
  'GridEvent.description',
  'Incident.description',
  'Incident.evaluation',
  'IncidentStep.statement',
  'Worker.phone',
  'GridWorker.phone',
  'Reporter.name',
  'Reporter.contact',
  'UrbanManagementCase.description',
  'HumanResourcesCase.description',
  'MarketPetition.description',
];
/** Types that are guarded as a whole, each with what of it is asked for here. */
const GUARDED_TYPES = ['Command.source', 'CommandConnection.edges'];
/** Likewise, of what operators alone may see. */
const OPERATED_TYPES = ['QuarantinedItem.reason', 'QuarantineConnection.edges'];
/** Fields that are rules of their own on the way to what is asked for. */
const GUARDED_ROOTS: readonly (readonly [string, string])[] = [
  ['Mutation.redriveCommand', OPERATORS_SCOPE],
  ['Mutation.discardCommand', OPERATORS_SCOPE],
  ['Mutation.confirmCommand', OPERATORS_SCOPE],
  ['Mutation.replayQuarantined', OPERATORS_SCOPE],
  ['Mutation.discardQuarantined', OPERATORS_SCOPE],
  ['Mutation.handOverToUrbanManagement', OPERATORS_SCOPE],
  ['Mutation.handOverToHumanResources', OPERATORS_SCOPE],
  ['Mutation.handOverToMarketSupervision', OPERATORS_SCOPE],
  ['Mutation.handOverToPolice', OPERATORS_SCOPE],
  ['Mutation.replyToHotlineOrder', OPERATORS_SCOPE],
  ['Subscription.commandChanged', CONNECTORS_SCOPE],
  ['Subscription.contractDriftChanged', CONNECTORS_SCOPE],
  ['System.contracts', CONNECTORS_SCOPE],
  ['System.budgets', CONNECTORS_SCOPE],
  ['EvidenceEntry.personal', SCOPE],
  // Further from the root than the ways go: tests/stories/my-tasks.test.ts asks for it.
  ['GridTask.content', SCOPE],
  ['Query.publications', REGISTRY_SCOPE],
  ['Query.publication', REGISTRY_SCOPE],
  ['Query.registryAudit', REGISTRY_SCOPE],
  ['Query.checkVersions', REGISTRY_SCOPE],
  ['Query.usage', REGISTRY_SCOPE],
  ['System.contact', REGISTRY_SCOPE],
  ['SystemVersion.sdl', REGISTRY_SCOPE],
  ['SystemVersion.url', REGISTRY_SCOPE],
  ['SystemVersion.pushedBy', REGISTRY_SCOPE],
  ['SystemVersion.approvals', REGISTRY_SCOPE],
];
const SCOPES: ReadonlyMap<string, string> = new Map([
  ...PERSONAL.map((coordinate) => [coordinate, SCOPE] as const),
  ...GUARDED_TYPES.map((coordinate) => [coordinate, CONNECTORS_SCOPE] as const),
  ...OPERATED_TYPES.map((coordinate) => [coordinate, OPERATORS_SCOPE] as const),
  ...GUARDED_ROOTS,
]);
/** Whose only rule is that somebody gives credentials. */
const AUTHENTICATED = ['Incident.attachments', 'IncidentStep.attachments', 'Subscription.myNotified'];
const OPEN = ['HotlineOrder.title', 'GridEvent.title', 'Incident.title', 'PoliceCase.place', 'Grid.name'];

const ASKERS: ReadonlyMap<string, Principal> = new Map([
  ['the anonymous', ANONYMOUS],
  ['one without scopes', createPrincipal({ subject: 'nobody', roles: ['duty-officer'] })],
  ['one of another scope', createPrincipal({ subject: 'other', scopes: ['incidents:read'] })],
  ['one who may read what was reported', createPrincipal({ subject: 'reader', scopes: [SCOPE] })],
  ['one of the staff', createPrincipal({ subject: 'staff', scopes: [CONNECTORS_SCOPE] })],
  ['an operator', createPrincipal({ subject: 'operator', scopes: [CONNECTORS_SCOPE, OPERATORS_SCOPE] })],
]);

let servers: readonly SubgraphServer[] = [];
let engine: GatewayEngine;
beforeAll(async () => {
  servers = await Promise.all(membersOf(SUPERGRAPH).map(({ name, sdl }) => startMarkingSubgraph(name, sdl)));
  engine = createEngine({
    supergraphSdl: SUPERGRAPH,
    subgraphUrls: Object.fromEntries(servers.map(({ name, url }) => [name, url])),
    logger: createLogger('test', 'silent'),
  });
});
afterAll(async () => {
  await engine?.close();
  await Promise.all(servers.map((server) => server.close()));
});

describe('the graph of this project', () => {
  it('guards what this test says and nothing else', () => {
    const guarded = SUPERGRAPH.match(/^ .*@(?:requiresScopes|authenticated|policy)\b/gm) ?? [];
    expect(guarded).toHaveLength(SCOPES.size + AUTHENTICATED.length);
  });

  it.each([...PERSONAL, ...GUARDED_TYPES, ...OPERATED_TYPES, 'Attachment.name', ...OPEN])(
    'shows %s to those who may see it, and to no other',
    async (coordinate) => {
      const forbiddenTo = ({ scopes, isAuthenticated }: Principal) => [
        ...[...SCOPES].flatMap(([guarded, scope]) => (scopes.includes(scope) ? [] : [guarded])),
        ...(isAuthenticated ? [] : AUTHENTICATED),
      ];
      expect((await wrongAnswers(engine, coordinate, ASKERS, forbiddenTo)).slice(0, 3)).toEqual([]);
    },
  );

  it('brings what it guards in an event to those alone who may see it', async () => {
    const query = 'subscription { incidentChanged { incident { title description } } }';
    for (const principal of ASKERS.values()) {
      const prepared = await engine.prepare(query, undefined, principal);
      if ('errors' in prepared) throw prepared.errors[0];
      const context = { signal: AbortSignal.timeout(10_000), traceId: 'a'.repeat(32), principal };
      const answer = JSON.stringify(
        await engine.executeEvent(prepared, {}, { incident: { id: '1' } }, context),
      );
      expect(answer).toContain(markOf('Incident.title'));
      expect(answer.includes(markOf('Incident.description'))).toBe(principal.scopes.includes(SCOPE));
    }
  });
});

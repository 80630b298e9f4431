import { describe, expect, it } from 'vitest';
import { type Actor, anonymousActor, readActor, shownName, systemActor } from './actor.ts';
import {
  availableActions,
  type GovernedIncident,
  isVisible,
  PERMISSIONS,
  REPORT_ROLES,
  type Reach,
  roleFor,
} from './authority.ts';
import { type IncidentState, STATE_LABELS } from './labels.ts';
import { ACTION_NAMES, type Action, actionsFrom } from './state-machine.ts';

const STATES = Object.keys(STATE_LABELS) as IncidentState[];
const ROLES = Object.keys(PERMISSIONS);

/** All that may, written out once more: what is not here is forbidden. */
const EXPECTED: Readonly<Record<string, Partial<Record<Reach, string>>>> = {
  citizen: { OWN: 'submit evaluate' },
  public: { OWN: 'submit evaluate' },
  'party-member': { OWN: 'submit evaluate' },
  volunteer: { OWN: 'submit evaluate' },
  'grid-worker': { OWN: 'submit evaluate' },
  'grid-head': {
    SUBTREE: 'submit accept markInvalid startVerification pass rework escalate',
    OWN: 'evaluate',
  },
  'centre-staff': {
    SUBTREE:
      'submit accept reject markInvalid route startVerification pass rework close evaluate reopen escalate handDown grantExtension supervise addCoHandler merge',
  },
  'duty-officer': {
    SUBTREE:
      'submit accept reject markInvalid route startVerification pass rework close evaluate reopen escalate handDown grantExtension supervise addCoHandler merge',
  },
  operator: {
    SUBTREE: 'submit accept route startVerification pass rework close escalate merge',
    DEPARTMENT: 'signFor return feedBack requestExtension',
  },
  leader: { SUBTREE: 'route rework close reopen escalate handDown grantExtension supervise addCoHandler' },
  'stationed-agency': { DEPARTMENT: 'signFor return feedBack requestExtension', OWN: 'submit evaluate' },
  'department-handler': { DEPARTMENT: 'signFor return feedBack requestExtension', OWN: 'submit evaluate' },
  auditor: {},
  anonymous: { ANY: 'accept route' },
};

const actor = (fields: Partial<Actor>): Actor => ({
  kind: 'principal',
  key: undefined,
  name: undefined,
  roles: [],
  division: undefined,
  department: undefined,
  ...fields,
});
const incident = (fields: Partial<GovernedIncident> = {}): GovernedIncident => ({
  state: 'HANDLING',
  centre: '320508017-01',
  division: '320508017003',
  department: 'police',
  confidential: false,
  reporterKeys: ['me'],
  verifiedAt: null,
  extensionUntil: null,
  ...fields,
});

/** Each place that somebody can stand in, and the reaches that take the incident in from there. */
const PLACES: readonly (readonly [string, Partial<Actor>, readonly Reach[]])[] = [
  ['nowhere', {}, ['ANY']],
  ['the centre itself', { division: '320508017' }, ['ANY', 'SUBTREE']],
  ['above the centre', { division: '3205' }, ['ANY', 'SUBTREE']],
  ['below the centre', { division: '320508017003' }, ['ANY']],
  ['another branch', { division: '320508018' }, ['ANY']],
  ['its department', { department: 'police' }, ['ANY', 'DEPARTMENT']],
  [
    'its department, of its place',
    { department: 'police', division: '320508' },
    ['ANY', 'DEPARTMENT', 'SUBTREE'],
  ],
  ['its department, of another place', { department: 'police', division: '320583' }, ['ANY']],
  ['another department', { department: 'justice' }, ['ANY']],
  ['its reporter', { key: 'me' }, ['ANY', 'OWN']],
  ['another reporter', { key: 'you' }, ['ANY']],
];

describe('the table of authority', () => {
  it('names the roles that the test knows', () => {
    expect(ROLES.sort()).toEqual(Object.keys(EXPECTED).sort());
    expect([...REPORT_ROLES].sort()).toEqual(ROLES.filter((role) => role !== 'auditor').sort());
  });

  it.each(ROLES)('gives %s what is expected, in every place and for every action', (role) => {
    for (const [place, fields, within] of PLACES) {
      for (const action of ACTION_NAMES) {
        const reach = (Object.entries(EXPECTED[role] ?? {}) as [Reach, string][]).find(([, actions]) =>
          actions.split(' ').includes(action),
        )?.[0];
        const may = reach !== undefined && within.includes(reach);
        const found = roleFor(action, actor({ ...fields, roles: [role] }), incident());
        expect(found, `${role} of ${place}: ${action}`).toBe(may ? role : undefined);
      }
    }
  });

  it('offers in each state what both the state and the role allow', () => {
    for (const state of STATES) {
      for (const role of ROLES) {
        const who = actor({ roles: [role], division: '3205', department: 'police', key: 'me' });
        const offered = availableActions(who, incident({ state }));
        const expected = actionsFrom(state, incident({ state })).filter(
          (action: Action) => roleFor(action, who, incident({ state })) !== undefined,
        );
        expect(offered).toEqual(expected);
      }
    }
    expect(availableActions(actor({ roles: ['auditor'], division: '32' }), incident())).toEqual([]);
    expect(availableActions(actor({ roles: ['emperor'], division: '32' }), incident())).toEqual([]);
  });

  it('lets any centre take what no centre owns', () => {
    const nowhere = incident({ centre: null, division: null, state: 'REPORTED' });
    expect(availableActions(actor({ roles: ['centre-staff'], division: '11' }), nowhere)).toContain('accept');
  });

  it('takes one without credentials for nobody, and in a demo for who may accept and route', () => {
    expect(availableActions(anonymousActor('nothing'), incident({ state: 'REPORTED' }))).toEqual([]);
    expect(availableActions(anonymousActor('demo'), incident({ state: 'REPORTED' }))).toEqual(['accept']);
    expect(availableActions(systemActor('police', 'police'), incident())).toEqual([
      'return',
      'feedBack',
      'requestExtension',
    ]);
  });
});

describe('what is confidential', () => {
  const secret = incident({ confidential: true });
  it.each([
    ['centre-staff', { division: '320508' }, true],
    ['auditor', { division: '320508017' }, true],
    ['centre-staff', { division: '320508018' }, false],
    ['centre-staff', {}, false],
    ['grid-worker', { division: '320508017' }, false],
    ['department-handler', { department: 'police' }, true],
    ['department-handler', { department: 'justice' }, false],
    ['citizen', { key: 'me' }, true],
    ['citizen', { key: 'you' }, false],
  ] as const)('is for %s %j: %s', (role, fields, expected) => {
    const who = actor({ roles: [role], ...fields });
    expect(isVisible(who, secret)).toBe(expected);
    expect(isVisible(who, incident({ state: 'DRAFT' }))).toBe(expected);
    expect(isVisible(who, incident())).toBe(true);
  });
});

describe('who acts', () => {
  const header = (content: unknown) => Buffer.from(JSON.stringify(content)).toString('base64');

  it('is read from what the gateway says', () => {
    const told = {
      subject: 'wang',
      issuer: 'i',
      roles: ['leader'],
      scopes: [],
      division: '3205',
      department: 'police',
    };
    expect(readActor(header(told), 'nothing')).toEqual({
      kind: 'principal',
      key: '["i","wang"]',
      name: 'wang',
      roles: ['leader'],
      division: '3205',
      department: 'police',
    });
  });

  it('cannot be made the anonymous of a demo by a role of that name', () => {
    expect(readActor(header({ subject: 'x', roles: ['anonymous'] }), 'demo').roles).toEqual([]);
    expect(readActor(header({ roles: [], scopes: [] }), 'nothing').roles).toEqual([]);
    expect(readActor(undefined, 'demo').roles).toEqual(['anonymous']);
  });

  it.each(['', 'e30=', 'bm8=', 'x'.repeat(20_000)])('is refused when it cannot be read: %.20s', (text) => {
    expect(() => readActor(text, 'demo')).toThrow(/weft-principal cannot be read/);
  });

  it('stands in steps by name, but not where they act as a citizen', () => {
    const wang = actor({ name: 'wang' });
    expect(shownName(wang, 'leader')).toBe('wang');
    expect(shownName(wang, 'citizen')).toBe('上报人');
    expect(shownName(actor({}), 'citizen')).toBeUndefined();
  });
});

// The catalogue's fixture as it is served: two real subgraphs with its secrets, and a gateway as a process before them.
import { setTimeout as wait } from 'node:timers/promises';
import { type SubgraphServer, startSubgraph } from '../gateway/subgraph-server.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { fixtureSdl } from './attacks.ts';

export interface FixtureHub {
  readonly gateway: GatewayProcess;
  readonly citizens: SubgraphServer;
  readonly registry: SubgraphServer;
  /** Ids for which the mutation was run. */
  readonly touched: string[];
  /** Live sources of the fixture's own subscriptions that have not ended. */
  sources(): number;
  close(): Promise<void>;
}

const CITIZENS = ['1', '2', '3'].map((id) => ({
  __typename: 'Citizen',
  id,
  name: `居民${id}`,
  ssn: '111-11-1111',
  medical: 'blood-type-B',
  secretNote: 'leak-me',
  self: { __typename: 'Citizen', id },
  cases: [{ id: `c${id}`, title: '路灯', citizen: { id } }],
  shared: { a: 'a', b: 'b' },
}));
const citizen = (id: string) => CITIZENS.find((known) => known.id === id) ?? null;

/** The list of people says how long it gets, as a subgraph of our own does. */
function sizedCitizens(): string {
  return fixtureSdl('citizens')
    .replace('federation/v2.5', 'federation/v2.9')
    .replace('"@inaccessible"', '"@inaccessible", "@listSize"')
    .replace(
      'citizens(first: Int = 10, filter: String, status: Status): [Citizen!]!',
      '$& @listSize(slicingArguments: ["first"])',
    );
}

/** Of `firehose` and `echo`: texts as they are asked for. */
function liveSources() {
  let open = 0;
  async function* counted(texts: AsyncIterable<string>, field: string) {
    open += 1;
    try {
      for await (const text of texts) yield { [field]: text };
    } finally {
      open -= 1;
    }
  }
  return {
    open: () => open,
    resolvers: {
      firehose: { subscribe: (_: unknown, flood: Flood) => counted(firehose(flood), 'firehose') },
      echo: { subscribe: (_: unknown, { text }: { text: string }) => counted(once(text), 'echo') },
      caseChanged: { subscribe: () => counted(nothing(), 'caseChanged') },
    },
  };
}

interface Flood {
  readonly n: number;
  readonly bytes: number;
  readonly everyMs: number;
}

async function* firehose({ n, bytes, everyMs }: Flood): AsyncGenerator<string> {
  const text = 'x'.repeat(bytes);
  for (let count = 0; count < n; count += 1) {
    yield text;
    if (everyMs > 0) await wait(everyMs);
  }
}

async function* once(text: string): AsyncGenerator<string> {
  yield text;
}

async function* nothing(): AsyncGenerator<string> {}

export async function startFixtureHub(env: Readonly<Record<string, string>> = {}): Promise<FixtureHub> {
  const touched: string[] = [];
  const live = liveSources();
  const byKey = {
    __resolveReference: ({ id }: { id: string }) => citizen(id),
    self: ({ id }: { id: string }) => citizen(id),
  };
  const citizens = await startSubgraph('citizens', sizedCitizens(), {
    Query: {
      citizen: (_: unknown, { id }: { id: string }) => citizen(id),
      citizens: (_: unknown, { first }: { first: number }) => CITIZENS.slice(0, first),
      person: (_: unknown, { id }: { id: string }) => citizen(id),
      me: () => citizen('1'),
      boom: () => {
        throw new Error('connect ECONNREFUSED postgres://app:hunter2@db:5432 while SELECT ssn FROM citizens');
      },
      slow: async (_: unknown, { ms }: { ms: number }) => {
        await wait(Math.min(ms, 5_000));
        return 'slow';
      },
    },
    Mutation: {
      touch: (_: unknown, { id }: { id: string }) => {
        touched.push(id);
        return citizen(id);
      },
    },
    Subscription: live.resolvers,
    Person: { __resolveType: () => 'Citizen' },
    Citizen: byKey,
  });
  const registry = await startSubgraph('registry', fixtureSdl('registry'), {
    Query: { evil: () => ({ value: 'x' }), registryCalls: () => 0 },
    Citizen: {
      __resolveReference: ({ id }: { id: string }) => ({ id }),
      taxId: ({ id }: { id: string }) => `t-${id}`,
      shared: () => ({ a: 'a', b: 'b', c: 'c', d: 'd' }),
    },
  });
  const gateway = await startGatewayProcess([citizens, registry], env);
  return {
    gateway,
    citizens,
    registry,
    touched,
    sources: live.open,
    async close() {
      await gateway.stop();
      await citizens.close();
      await registry.close();
    },
  };
}

// Those who act in a story: each a client of the hub with a token of its own, over HTTP and a WebSocket.
import { createWeftClient } from '@weft/client/client';
import { OperatorError } from '@weft/core/errors';
import type { DevelopmentIssuer } from '../token/issuer.ts';
import { type Changed, openScreen, type Screen, type ScreenSettings } from './screen.ts';

export interface Claims {
  readonly role: string;
  readonly subject: string;
  readonly division?: string;
}

export interface Person {
  /** @throws OperatorError when the hub does not answer, and for any error in the answer */
  get<Data>(query: string, variables?: Variables): Promise<Data>;
  /** The code with which the hub refuses it. @throws OperatorError when it does not */
  refusal(query: string, variables?: Variables): Promise<string>;
  /** An action of an incident. @param args as they stand in the document after `id` */
  act(field: string, id: string, args?: string): Promise<void>;
  /**
   * Resolves when it listens.
   * @param document with one live field that brings `Changed`
   */
  follow(document: string, variables: Variables, settings: ScreenSettings): Promise<Screen>;
  /** Ends what they follow. */
  leave(): void;
}

export interface PeopleOptions {
  readonly issuer: DevelopmentIssuer;
  readonly urls: { readonly graphql: string; readonly ws: string };
}

type Variables = Readonly<Record<string, unknown>>;

interface Answer<Data> {
  readonly data?: Data | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions?: { readonly code?: string };
  }[];
}

/** Longer than any story with all its pauses. */
const TOKEN_LIFETIME_S = 7_200;
const ANSWER_MS_MAX = 30_000;
const CONNECT_MS_MAX = 30_000;

/** @param name for messages, and of their client: ASCII */
export async function enterPerson(name: string, claims: Claims, options: PeopleOptions): Promise<Person> {
  const { subject, role, division } = claims;
  const { issuer, urls } = options;
  const known = { subject, roles: [role], scopes: [], division, lifetimeS: TOKEN_LIFETIME_S };
  const token = await issuer.sign(known);
  const connected = Promise.withResolvers<void>();
  const onState = ({ kind }: { readonly kind: string }) => {
    if (kind === 'connected') connected.resolve();
  };
  const client = createWeftClient({ url: urls.ws, token, onState });
  const ask = <Data>(query: string, variables: Variables = {}) =>
    post<Data>({ name, url: urls.graphql, token }, { query, variables });
  const person: Person = {
    async get<Data>(query: string, variables?: Variables) {
      const { data, errors } = await ask<Data>(query, variables);
      const [error] = errors ?? [];
      if (error !== undefined || data === undefined || data === null)
        throw new OperatorError(
          `${name}: ${error?.extensions?.code ?? 'ERROR'}: ${error?.message ?? 'no data'}`,
        );
      return data;
    },
    async refusal(query, variables) {
      const code = (await ask(query, variables)).errors?.[0]?.extensions?.code;
      if (code === undefined) throw new OperatorError(`${name}: what must be refused was not`);
      return code;
    },
    async act(field, id, args = '') {
      await person.get(`mutation ($id: ID!) { ${field}(id: $id ${args}) { id } }`, { id });
    },
    async follow(query, variables, settings) {
      const screen = openScreen(settings);
      client.subscribe<Changed>({ query, variables }, screen.handlers);
      await within(CONNECT_MS_MAX, connected.promise, `${name}: no socket to ${urls.ws}`);
      // A subscription is not acknowledged. It is asked for before these queries, which take longer to answer than it to begin.
      for (let time = 0; time < 2; time++) await person.get('{ incidents(first: 1) { totalCount } }');
      return screen;
    },
    leave: () => client.close(),
  };
  return person;
}

async function post<Data>(
  { name, url, token }: { readonly name: string; readonly url: string; readonly token: string },
  body: { readonly query: string; readonly variables: Variables },
): Promise<Answer<Data>> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        authorization: `Bearer ${token}`,
        'graphql-client-name': name,
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    return (await response.json()) as Answer<Data>;
  } catch (cause) {
    throw new OperatorError(`${name}: no answer from ${url}: ${(cause as Error).message}`, { cause });
  }
}

async function within<Value>(msMax: number, waited: Promise<Value>, problem: string): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new OperatorError(problem)), msMax);
  try {
    return await Promise.race([waited, promise]);
  } finally {
    clearTimeout(timer);
  }
}

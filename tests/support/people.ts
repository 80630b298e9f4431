// People who work with the hub from their own clients: HTTP and graphql-ws, with a token of `weft token`.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import type { GraphQLAnswer, Hub } from './hub.ts';
import { collect, type Subscriber } from './live.ts';
import { weft } from './weft.ts';

export interface Person {
  ask<Data>(query: string, variables?: Readonly<Record<string, unknown>>): Promise<GraphQLAnswer<Data>>;
  /** Asks, and throws on any error. */
  get<Data>(query: string, variables?: Readonly<Record<string, unknown>>): Promise<Data>;
  /** Takes an action to an incident. @param args as they stand in the document after `id` */
  act(field: string, id: string, args?: string): Promise<void>;
  follow<Data>(query: string, variables?: Readonly<Record<string, unknown>>): Subscriber<Data>;
  /** Closes their socket. */
  leave(): Promise<void>;
}

/** @param claims arguments of `weft token` */
export async function openPerson(hub: Hub, ...claims: readonly string[]): Promise<Person> {
  const { code, stdout, stderr } = await weft(hub.home, 'token', ...claims);
  if (code !== 0) throw new Error(`weft token: ${stderr}`);
  const authorization = `Bearer ${stdout.trim()}`;
  const client = createClient({
    url: hub.urls.ws ?? '',
    webSocketImpl: WebSocket,
    lazy: true,
    retryAttempts: 0,
    connectionParams: { authorization },
  });
  const person: Person = {
    async ask<Data>(query: string, variables: Readonly<Record<string, unknown>> = {}) {
      const response = await fetch(hub.urls.graphql ?? '', {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/graphql-response+json',
          authorization,
        },
        body: JSON.stringify({ query, variables }),
      });
      return (await response.json()) as GraphQLAnswer<Data>;
    },
    async get<Data>(query: string, variables: Readonly<Record<string, unknown>> = {}) {
      const { data, errors } = await person.ask<Data>(query, variables);
      if (data === undefined || data === null || errors !== undefined)
        throw new Error(`${query}: ${JSON.stringify(errors)}`);
      return data;
    },
    async act(field, id, args = '') {
      await person.get(`mutation ($id: ID!) { ${field}(id: $id ${args}) { state } }`, { id });
    },
    follow<Data>(query: string, variables: Readonly<Record<string, unknown>> = {}) {
      return collect(client.iterate({ query, variables }) as AsyncIterableIterator<GraphQLAnswer<Data>>);
    },
    leave: async () => client.dispose(),
  };
  return person;
}

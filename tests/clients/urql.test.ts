// urql over a WebSocket, over graphql-sse, and over server-sent events of its own, as its documentation shows them.
import { Client, type ClientOptions, fetchExchange, subscriptionExchange } from '@urql/core';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import { LAMP_CHANGED, type LampChanged } from '../support/lamps.ts';
import { describeClient, type LiveClient } from './live-client-suite.ts';

function urql(url: string, options: Partial<ClientOptions>, close: () => unknown): LiveClient {
  const client = new Client({ url, exchanges: [fetchExchange], preferGetMethod: false, ...options });
  return {
    subscribe(variables, { next, fail }) {
      const results = client.subscription<LampChanged>(LAMP_CHANGED, variables);
      const subscription = results.subscribe(({ data, error }) =>
        error === undefined ? next(data) : fail(error),
      );
      return () => subscription.unsubscribe();
    },
    close,
  };
}

describeClient('urql over graphql-ws', ({ graphql, ws }) => {
  const socket = createWsClient({ url: ws });
  const forwarding = subscriptionExchange({
    forwardSubscription: ({ query = '', variables = {} }) => ({
      subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query, variables }, sink as never) }),
    }),
  });
  return urql(graphql, { exchanges: [forwarding, fetchExchange] }, () => socket.dispose());
});

describeClient('urql over graphql-sse', ({ graphql }) => {
  const streams = createSseClient({ url: graphql, retryAttempts: 0 });
  const forwarding = subscriptionExchange({
    forwardSubscription: ({ query = '', variables = {} }) => ({
      subscribe: (sink) => ({ unsubscribe: streams.subscribe({ query, variables }, sink as never) }),
    }),
  });
  return urql(graphql, { exchanges: [forwarding, fetchExchange] }, () => streams.dispose());
});

describeClient('urql over its own fetch', ({ graphql }) =>
  urql(graphql, { fetchSubscriptions: true }, () => undefined),
);

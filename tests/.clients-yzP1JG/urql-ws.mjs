import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { createClient } from 'graphql-ws';

const socket = createClient({ url: 'ws://127.0.0.1:35245/graphql' });
const client = new Client({
  url: 'http://127.0.0.1:35245/graphql',
  exchanges: [
    fetchExchange,
    subscriptionExchange({
      forwardSubscription: ({ query, variables }) => ({
        subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query, variables }, sink) }),
      }),
    }),
  ],
});
const query = 'subscription { incidentChanged { cursor gap { reason } incident { id title } } }';
client.subscription(query, {}).subscribe(({ data, error }) => {
  console.log(data?.incidentChanged.incident, error ?? '');
});

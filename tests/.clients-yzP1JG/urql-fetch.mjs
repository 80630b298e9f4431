import { Client, fetchExchange } from '@urql/core';

const client = new Client({
  url: 'http://127.0.0.1:35245/graphql',
  exchanges: [fetchExchange],
  fetchSubscriptions: true,
  preferGetMethod: false,
});
const query = 'subscription { incidentChanged { cursor gap { reason } incident { id title } } }';
client.subscription(query, {}).subscribe(({ data, error }) => {
  console.log(data?.incidentChanged.incident, error ?? '');
});

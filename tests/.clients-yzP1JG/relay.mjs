import { Environment, Network, Observable, RecordSource, Store } from 'relay-runtime';
import { createClient } from 'graphql-ws';

const socket = createClient({ url: 'ws://127.0.0.1:35245/graphql' });
const fetchQuery = async ({ text }, variables) => {
  const response = await fetch('http://127.0.0.1:35245/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: text, variables }),
  });
  return response.json();
};
const subscribe = ({ text }, variables) =>
  Observable.create((sink) => socket.subscribe({ query: text, variables }, sink));
export const environment = new Environment({
  network: Network.create(fetchQuery, subscribe),
  store: new Store(new RecordSource()),
});

environment.getNetwork().execute({ name: 'Live', text: "subscription { incidentChanged { cursor incident { id title } } }", operationKind: 'subscription', cacheID: 'c', id: null, metadata: {} }, {}, {}).subscribe({ next: ({ data }) => console.log(data.incidentChanged.incident) });
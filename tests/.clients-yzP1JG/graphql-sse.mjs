import { createClient } from 'graphql-sse';

let after = '';
const client = createClient({
  url: 'http://127.0.0.1:35245/graphql',
  // Asked for at each reconnect; an empty one is none.
  headers: () => ({ 'last-event-id': after }),
});
const query = 'subscription { incidentChanged { cursor gap { reason } incident { id title } } }';
for await (const { data, errors } of client.iterate({ query })) {
  after = data?.incidentChanged.cursor ?? after;
  console.log(data?.incidentChanged.incident, errors ?? '');
}

import { createClient } from 'graphql-ws';

const client = createClient({ url: 'ws://127.0.0.1:35245/graphql' });
const query = `subscription ($after: Cursor) {
  incidentChanged(after: $after) { cursor gap { reason } incident { id title } }
}`;
let after = null;
// Read anew at each reconnect: the stream goes on where it was.
const request = { query, get variables() { return { after }; } };
for await (const { data, errors } of client.iterate(request)) {
  after = data?.incidentChanged.cursor ?? after;
  console.log(data?.incidentChanged.incident, errors ?? '');
}

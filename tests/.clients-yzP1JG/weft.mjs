import { createWeftClient } from '@weft/client/client';

const client = createWeftClient({
  url: 'ws://127.0.0.1:35245/graphql',
  onState: ({ kind }) => console.error('connection:', kind),
});
client.subscribe(
  { query: 'subscription { incidentChanged { change { kind } incident { id title } } }' },
  {
    next: ({ value, errors }) => console.log(value?.incident, errors ?? ''),
    gap: ({ reason, from }) => console.error('events were missed:', reason, from),
    error: (error) => console.error('over:', error.code, error.message),
  },
);

import { ApolloClient, gql, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { createClient } from 'graphql-ws';

const socket = createClient({ url: 'ws://127.0.0.1:35245/graphql' });
const client = new ApolloClient({ link: new GraphQLWsLink(socket), cache: new InMemoryCache() });
const query = gql`subscription { incidentChanged { cursor gap { reason } incident { id title } } }`;
client.subscribe({ query }).subscribe({
  next: ({ data, error }) => console.log(data?.incidentChanged.incident, error ?? ''),
});

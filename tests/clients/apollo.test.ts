// Apollo Client over its WebSocket link and over its multipart HTTP link, as its documentation shows them.
import { ApolloClient, type ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { createClient } from 'graphql-ws';
import { LAMP_CHANGED, type LampChanged } from '../support/lamps.ts';
import { describeClient, type LiveClient } from './live-client-suite.ts';

function apollo(link: ApolloLink, close: () => unknown): LiveClient {
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  return {
    subscribe(variables, { next, fail, complete }) {
      const results = client.subscribe<LampChanged>({ query: gql(LAMP_CHANGED), variables });
      const subscription = results.subscribe({
        next: ({ data, error }) => (error === undefined ? next(data) : fail(error)),
        error: fail,
        complete,
      });
      return () => subscription.unsubscribe();
    },
    close() {
      client.stop();
      close();
    },
  };
}

describeClient('@apollo/client over graphql-ws', ({ ws }) => {
  const socket = createClient({ url: ws });
  return apollo(new GraphQLWsLink(socket), () => socket.dispose());
});

describeClient('@apollo/client over multipart HTTP', ({ graphql }) =>
  apollo(new HttpLink({ uri: graphql }), () => undefined),
);

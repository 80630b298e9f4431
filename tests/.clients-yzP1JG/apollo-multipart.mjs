import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';

const client = new ApolloClient({
  link: new HttpLink({ uri: 'http://127.0.0.1:35245/graphql' }),
  cache: new InMemoryCache(),
});
const query = gql`
  subscription ($after: Cursor) {
    incidentChanged(after: $after) { cursor gap { reason } incident { id title } }
  }
`;
let after = null;
function follow() {
  client.subscribe({ query, variables: { after } }).subscribe({
    next({ data, error }) {
      // The gateway went, or the subscription has come to an end: it says which.
      if (error) return void setTimeout(follow, 500 + Math.random() * 4_500);
      after = data.incidentChanged.cursor;
      console.log(data.incidentChanged.incident);
    },
  });
}
follow();

// The client of graphql-ws, as its documentation shows it, against a real gateway.
import { createClient } from 'graphql-ws';
import { LAMP_CHANGED, type LampChanged } from '../support/lamps.ts';
import { describeClient } from './live-client-suite.ts';

describeClient('graphql-ws', ({ ws }) => {
  const client = createClient({ url: ws });
  return {
    subscribe: (variables, { next, fail, complete }) =>
      client.subscribe<LampChanged>(
        { query: LAMP_CHANGED, variables },
        { next: ({ data }) => next(data), error: fail, complete },
      ),
    close: () => client.dispose(),
  };
});

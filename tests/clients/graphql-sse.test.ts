// The client of graphql-sse in its distinct connections mode, as its documentation shows it, against a real gateway.
import { createClient } from 'graphql-sse';
import { LAMP_CHANGED, type LampChanged } from '../support/lamps.ts';
import { describeClient } from './live-client-suite.ts';

describeClient('graphql-sse', ({ graphql }) => {
  const client = createClient({ url: graphql, retryAttempts: 0 });
  return {
    subscribe: (variables, { next, fail, complete }) =>
      client.subscribe<LampChanged>(
        { query: LAMP_CHANGED, variables },
        { next: ({ data }) => next(data), error: fail, complete },
      ),
    close: () => client.dispose(),
  };
});

// relay-runtime with a network layer over graphql-ws and over graphql-sse, as its documentation shows it.
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import {
  type ConcreteRequest,
  Environment,
  type GraphQLResponse,
  Network,
  Observable,
  RecordSource,
  requestSubscription,
  Store,
} from 'relay-runtime';
import { LAMP_CHANGED, type LampChanged } from '../support/lamps.ts';
import { describeClient, type LiveClient } from './live-client-suite.ts';

const scalar = (name: string) =>
  ({ alias: null, args: null, kind: 'ScalarField', name, storageKey: null }) as const;
const linked = (
  name: string,
  concreteType: string,
  selections: readonly object[],
  args: readonly object[] | null = null,
) => ({
  ...{
    alias: null,
    args,
    concreteType,
    kind: 'LinkedField',
    name,
    plural: false,
    selections,
    storageKey: null,
  },
});

/** What relay-compiler makes of `LAMP_CHANGED`. */
function compiled(): ConcreteRequest {
  const argumentDefinitions = ['street', 'after'].map((name) => ({
    defaultValue: null,
    kind: 'LocalArgument',
    name,
  }));
  const args = ['after', 'street'].map((name) => ({ kind: 'Variable', name, variableName: name }));
  const fields = [
    scalar('cursor'),
    linked('gap', 'Gap', [scalar('from'), scalar('to'), scalar('reason')]),
    scalar('note'),
    linked('lamp', 'Lamp', [scalar('id'), scalar('colour')]),
  ];
  const selections = [linked('lampChanged', 'LampChanged', fields, args)];
  const request = {
    fragment: {
      ...{ argumentDefinitions, kind: 'Fragment', metadata: null, name: 'LampChanged', selections },
      ...{ type: 'Subscription', abstractKey: null },
    },
    kind: 'Request',
    operation: { argumentDefinitions, kind: 'Operation', name: 'LampChanged', selections },
    params: {
      ...{
        cacheID: 'lamp-changed',
        id: null,
        metadata: {},
        name: 'LampChanged',
        operationKind: 'subscription',
      },
      text: LAMP_CHANGED,
    },
  };
  return request as unknown as ConcreteRequest;
}

/** What graphql-ws and graphql-sse have in common. */
interface Transport {
  subscribe(
    payload: { readonly query: string; readonly variables: Record<string, unknown> },
    sink: { next(value: unknown): void; error(thrown: unknown): void; complete(): void },
  ): () => void;
  dispose(): unknown;
}

function relay(transport: Transport): LiveClient {
  const network = Network.create(
    () => {
      throw new Error('only subscriptions are asked for');
    },
    ({ text }, variables) =>
      Observable.create<GraphQLResponse>((sink) =>
        transport.subscribe({ query: text ?? '', variables }, sink as never),
      ),
  );
  const environment = new Environment({ network, store: new Store(new RecordSource()) });
  return {
    subscribe(variables, { next, fail, complete }) {
      const subscription = requestSubscription(environment, {
        subscription: compiled(),
        variables,
        onNext: (data) => next(data as LampChanged | null),
        onError: fail,
        onCompleted: complete,
      });
      return () => subscription.dispose();
    },
    close: () => transport.dispose(),
  };
}

describeClient('relay-runtime over graphql-ws', ({ ws }) => relay(createWsClient({ url: ws }) as Transport));

describeClient('relay-runtime over graphql-sse', ({ graphql }) =>
  relay(createSseClient({ url: graphql, retryAttempts: 0 }) as Transport),
);

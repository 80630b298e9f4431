// The explorer: GraphiQL over the hub's own HTTP and WebSocket addresses, every asset from the hub itself.
import { createClient } from '/vendor/graphql-ws/client.js';
import { lookInside } from './fetcher.js';
import { createInsidePanel } from './inside-panel.js';
import { QUERY, SUBSCRIPTION } from './starters.js';

const { React, ReactDOM, GraphiQL } = /** @type {any} */ (globalThis);

const ask = GraphiQL.createFetcher({
  url: '/graphql',
  wsClient: createClient({
    url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`,
  }),
});

ReactDOM.createRoot(document.getElementById('graphiql')).render(
  React.createElement(GraphiQL, {
    fetcher: lookInside(ask, createInsidePanel()),
    defaultQuery: QUERY,
    defaultTabs: [{ query: QUERY }, { query: SUBSCRIPTION }],
    defaultEditorToolsVisibility: false,
    forcedTheme: 'light',
  }),
);

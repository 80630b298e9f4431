// The developer's page: GraphiQL over the folder's graph, its check, and every upstream call as it happens.
const ROWS_MAX = 200;
const byId = (id) => document.getElementById(id);

/** Text only: nothing that comes from an old system is read as markup. */
function element(tag, text, className) {
  const made = document.createElement(tag);
  made.textContent = text ?? '';
  if (className !== undefined) made.className = className;
  return made;
}

function showState({ number, issues, problem, isServed, isAnswering, off, name }) {
  const lines = [
    element(
      'p',
      isServed
        ? `${name}: served, generation ${number}`
        : `not served${isAnswering ? '; the last one that could be still answers' : ''}`,
      isServed ? 'good' : 'bad',
    ),
  ];
  if (problem !== undefined) lines.push(element('p', problem, 'bad'));
  for (const { file, line, column, code, message, severity } of issues)
    lines.push(
      element(
        'p',
        `${file}:${line}:${column} ${severity} ${code} ${message}`,
        severity === 'error' ? 'bad' : 'quiet',
      ),
    );
  for (const text of off) lines.push(element('p', `off: ${text}`, 'quiet'));
  byId('state').replaceChildren(...lines);
}

function showCall({ at, source, operation, keys, values, status, ms, bytes, code }) {
  const row = document.createElement('tr');
  const cells = [at.slice(11, 23), source, operation, values ?? keys, status, ms, bytes, code];
  row.append(...cells.map((cell) => element('td', cell === undefined ? '' : String(cell))));
  if (code !== undefined) row.className = 'bad';
  byId('rows').prepend(row);
  while (byId('rows').children.length > ROWS_MAX) byId('rows').lastChild.remove();
}

function draw(generation) {
  const { React, ReactDOM, GraphiQL } = globalThis;
  draw.root ??= ReactDOM.createRoot(byId('graphiql'));
  // Another key mounts it anew: the schema has changed.
  draw.root.render(
    React.createElement(GraphiQL, {
      key: generation,
      fetcher: GraphiQL.createFetcher({ url: '/graphql' }),
      defaultEditorToolsVisibility: false,
      forcedTheme: 'light',
    }),
  );
}

const events = new EventSource('/events');
events.addEventListener('open', () => byId('rows').replaceChildren());
events.addEventListener('state', ({ data }) => {
  const state = JSON.parse(data);
  showState(state);
  if (state.isServed) draw(state.number);
});
events.addEventListener('call', ({ data }) => showCall(JSON.parse(data)));

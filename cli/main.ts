// The `weft` command: reads the arguments and hands over to one module a command.
import { parseArgs } from 'node:util';
import { useCompileCache } from '@weft/core/compile-cache';
import { OperatorError } from '@weft/core/errors';

const USAGE = `weft: one live graph over the systems a government already has

  weft up                              start the hub, its database and the simulated city
  weft gateway --supergraph FILE       serve any Federation v2 supergraph; reloaded when it changes, and on SIGHUP
               [--port N] [--engine weft|apollo] [--planner apollo|hive] [--share-in-flight]
  weft compose [--check] [--lint]      compose schema/supergraph.graphql; --check fails when it is stale, --lint
                                       when something composes and should not stand as it is
  weft plan FILE [--supergraph FILE]   show how an operation is answered, and which planner says so
            [--operation NAME] [--planner apollo|hive]
  weft connect check FOLDER [--json] [--alone]   check the description of a wrapped system, and that it makes one graph with the others
  weft connect commands list [--system NAME] [--state STATE] | show ID
  weft connect commands redrive ID [--force] | discard ID | confirm ID [--ref TEXT]
                                       writes to old systems: what became of them, and what a person decides
  weft connect discover --wsdl FILE | --openapi FILE | --csv FILE | --sql URL [--table NAME]...
               [--name NAME] [--out FOLDER] [--encoding gb18030] [--reads OPERATION]...
                                       draft that description from the contract that the system has
  weft connect serve FOLDER [--port N] [--env FILE] [--show-values]
                                       serve one wrapped system with an explorer, and watch what it asks the old one
  weft connect drift FOLDER [--env FILE] [--json]
                                       compare the contracts of a folder with what the systems say now
  weft simulate NAME                   start a simulated system again that was killed: city, hotline, grid, police, departments
  weft story [N] [--pace SECONDS]      play a story on the running hub, and print what each client sees; without N: list them
             [--limit SECONDS]         how long each step may take to be seen
  weft token [--role NAME]... [--scope NAME]... print a token of this home's demo, for an hour
             [--division CODE] [--department CODE] [--subject NAME] [--lifetime SECONDS]
  weft publish NAME --url URL (--sdl FILE | --folder FOLDER) [--reason TEXT] [--check] [--owner DEPARTMENT]
               [--title TEXT] [--contact TEXT] [--basis TEXT] [--approval] [--commit TEXT] [--expected VERSION]
               [--subscriptions-url URL] [--subscriptions-protocol NAME]
                                       put a system, or its next version, into the graph; --check only says what would become of it
  weft check NAME (--sdl FILE | --folder FOLDER) [--url URL]
                                       the same as --check; ends with 1 when it would be refused
  weft rollback [--to N] --reason TEXT publish the state of the graph before this one again, or that of publication N
  weft systems [--json]                who takes part in the graph, in which version, and how each is
                                       publish, check, rollback, systems: [--gateway URL] [--token TOKEN] [--department CODE]
  weft events dead-letters             list the events that the live engine would not take
  weft events redrive ID|--all         have the relay try them anew
  weft audit export WHAT [--out FILE]    write the evidence of an incident: its id, or hotlineOrder:NUMBER
                    [--with-personal] [--leave-out NAMES]   personal fields are left out by default
  weft audit verify FILE [--key FILE]    say offline whether exported evidence is as it was signed, and what was changed
                    [--files FOLDER] [--json]   with the attachments that lie in FOLDER
  weft ingest quarantine list          what came in and was not understood
              [--system NAME] [--source NAME] [--type NAME] [--since TIME] [--until TIME] [--discarded] [--csv]
  weft ingest quarantine show ID | replay ID | replay --all --system NAME [--source NAME]
              | discard ID --why TEXT [--by NAME]
                                       replay goes by the SDL as it is now
  weft tail FIELD [--arg NAME=VALUE]... follow a live field of the running hub; Ctrl-C prints where it stands
            [--select '{…}'] [--after CURSOR] [--from SNAPSHOT|BOOKMARK] [--json] [--url URL] [--token TOKEN]
  weft replay FILE [--speed N]         feed municipal requests from a CSV into the simulated hotline
              [--mapping FILE] [--limit N]
  weft webhooks                        deliver the webhooks of WEFT_WEBHOOKS_FILE
  weft webhooks list | dead-letters [NAME] | redrive NAME [ID] | reset NAME
                                       how they stand; send again what was put aside; begin anew
  weft bench [--only NAMES] [--rounds N] measure the gateway beside its limits and its peers
             [--seconds S] [--no-peers] [--report FILE]
  weft bench subscriptions [--only NAMES] the same with live clients, beside a bare broadcast
             [--clients N] [--rate N] [--seconds S] [--rounds N] [--shape broadcast|groups] [--groups N]
             [--no-peers] [--idle] [--sockets N] [--subscriptions N] [--cycles N]
             [--slow] [--slow-sockets N] [--report FILE]
  weft bench connectors [--turns N]      a wrapped system beside a program written by hand
             [--rounds N] [--report FILE]
  weft bench mapping [--turns N]         mappings beside functions written by hand
  weft bench --paired NAMES [--turns N]  compare the processor time of some of them, side by side
             [--query federated|single]

  Settings come from the environment: PORT, DATABASE_URL, WEFT_HOME (default .weft), and those of docs/settings.md.
`;

/** Options of `weft gateway`, and the settings that they stand for. */
const GATEWAY_SETTINGS = {
  supergraph: 'WEFT_SUPERGRAPH_FILE',
  port: 'PORT',
  engine: 'WEFT_ENGINE',
  planner: 'WEFT_PLANNER',
} as const;

// Before a command's own module is imported.
useCompileCache();
const given = process.argv.slice(2);
// `replay` has a help of its own.
const asksForHelp = given[0] !== 'replay' && given.includes('--help');
const commandOf = (argv: readonly string[]) => argv.find((argument) => !argument.startsWith('-')) ?? '';

// `weft systems | head`: who reads has enough, and nothing is wrong.
process.stdout.on('error', (thrown: NodeJS.ErrnoException) => {
  if (thrown.code !== 'EPIPE') throw thrown;
  process.exit(0);
});

main(asksForHelp ? ['help', commandOf(given)] : given).catch((thrown: unknown) => {
  const known = thrown instanceof OperatorError;
  process.stderr.write(`weft: ${known ? thrown.message : ((thrown as Error).stack ?? String(thrown))}\n`);
  process.exit(known ? thrown.exitCode : 70);
});

async function main(argv: readonly string[]): Promise<void> {
  const [command, ...rest] = argv;
  switch (command) {
    case 'up':
      return (await import('./up/up.ts')).up(parse(rest, {}).values);
    case 'gateway':
      return runGateway(rest);
    case 'compose':
      return runCompose(rest);
    case 'plan':
      return runPlan(rest);
    case 'connect':
      if (rest[0] === 'commands')
        return (await import('./connect-commands.ts')).connectCommandsCommand(rest.slice(1), process.env);
      return (await import('./connect/command.ts')).connectCommand(rest, process.env);
    case 'simulate': {
      const { positionals } = parse(rest, {});
      return (await import('./up/simulate.ts')).simulateCommand(positionals[0] ?? '');
    }
    case 'token':
      return (await import('./token/command.ts')).tokenCommand(rest, process.env);
    case 'publish':
    case 'check':
    case 'rollback':
    case 'systems':
      return (await import('./registry/command.ts')).registryCommand(command, rest, process.env);
    case 'events': {
      const { values, positionals } = parse(rest, { all: { type: 'boolean' } });
      return (await import('./events/command.ts')).eventsCommand(
        { verb: positionals[0], id: positionals[1], all: values.all === true },
        process.env,
      );
    }
    case 'audit':
      return (await import('./audit/command.ts')).auditCommand(rest, process.env);
    case 'ingest':
      return (await import('./ingest/command.ts')).ingestCommand(rest, process.env);
    case 'story':
      return (await import('./story/command.ts')).storyCommand(rest, process.env);
    case 'tail':
      return (await import('./tail/command.ts')).tailCommand(rest, process.env);
    case 'replay':
      return (await import('./replay/command.ts')).replayCommand(rest);
    case 'webhooks':
      return (await import('./webhooks/command.ts')).webhooksCommand(rest, process.env);
    case 'bench':
      if (rest[0] === 'subscriptions')
        return (await import('./bench/subscriptions/command.ts')).benchSubscriptionsCommand(rest.slice(1));
      if (rest[0] === 'connectors')
        return (await import('./bench/connectors/command.ts')).benchConnectorsCommand(rest.slice(1));
      if (rest[0] === 'mapping')
        return (await import('./bench/mapping/command.ts')).benchMappingCommand(rest.slice(1));
      return (await import('./bench/command.ts')).benchCommand(rest);
    case undefined:
    case 'help':
    case '--help':
      process.stdout.write(usageOf(rest[0]));
      return;
    default:
      throw new OperatorError(`there is no command '${command}': 'weft help' lists them`, { exitCode: 2 });
  }
}

/** The part of the usage that is of one command, with what all have in common; the whole without one, or with one that is not there. */
function usageOf(command = ''): string {
  const [head = '', ...parts] = USAGE.split(/(?=^ {2}(?:weft |Settings ))/m);
  const settings = parts.at(-1) ?? '';
  const own = parts.filter((part) => part.startsWith(`  weft ${command} `));
  return own.length === 0 ? USAGE : [head, ...own, '\n', settings].join('');
}

async function runCompose(argv: readonly string[]): Promise<void> {
  const { values, positionals } = parse(argv, {
    check: { type: 'boolean' },
    lint: { type: 'boolean' },
  });
  if (positionals.length > 0)
    throw new OperatorError('weft compose takes the subgraphs of this checkout and no argument', {
      exitCode: 2,
    });
  return (await import('./compose.ts')).composeCommand({
    check: values.check === true,
    lint: values.lint === true,
  });
}

/** The gateway alone: no database, no registry. */
async function runGateway(argv: readonly string[]): Promise<void> {
  const { values } = parse(argv, {
    supergraph: { type: 'string' },
    port: { type: 'string' },
    engine: { type: 'string' },
    planner: { type: 'string' },
    'share-in-flight': { type: 'boolean' },
  });
  for (const [option, setting] of Object.entries(GATEWAY_SETTINGS)) {
    const value = values[option as keyof typeof GATEWAY_SETTINGS];
    if (typeof value === 'string') process.env[setting] = value;
  }
  if (values['share-in-flight'] === true) process.env.WEFT_SHARE_IN_FLIGHT = 'true';
  await import('@weft/gateway/main');
}

async function runPlan(argv: readonly string[]): Promise<void> {
  const { values, positionals } = parse(argv, {
    supergraph: { type: 'string' },
    operation: { type: 'string' },
    planner: { type: 'string' },
  });
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
  return (await import('./plan.ts')).planCommand({
    file: positionals[0],
    supergraph: text(values.supergraph),
    operation: text(values.operation),
    planner: text(values.planner),
  });
}

type Options = Record<string, { type: 'string' | 'boolean' }>;

function parse<Given extends Options>(argv: readonly string[], options: Given) {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (cause) {
    throw new OperatorError(`${(cause as Error).message} ('weft help' lists the commands)`, {
      cause,
      exitCode: 2,
    });
  }
}

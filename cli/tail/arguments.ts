// What `weft tail` was told to do.
import { parseArgs } from 'node:util';
import { OperatorError } from '@weft/core/errors';

export interface TailArguments {
  /** The live field. */
  readonly field: string;
  /** Its arguments as they were written. */
  readonly args: ReadonlyMap<string, string>;
  /** A selection set on its type; undefined: one that shows what the event brings. */
  readonly select: string | undefined;
  readonly isJson: boolean;
  /** Of the gateway, for requests and for the socket; undefined: that of the running hub. */
  readonly url: { readonly http: string; readonly ws: string } | undefined;
  readonly token: string | undefined;
}

/** @throws OperatorError with exit code 2 saying what is wrong */
export function readTailArguments(argv: readonly string[]): TailArguments {
  const { values, positionals } = parse(argv);
  const [field, ...more] = positionals;
  if (field === undefined || more.length > 0 || !/^[_A-Za-z][_0-9A-Za-z]*$/.test(field))
    throw wrongUse("expected 'weft tail FIELD', the name of a live field such as incidentChanged");
  const args = new Map<string, string>();
  const give = (name: string, value: string) => {
    if (args.has(name)) throw wrongUse(`the argument ${name} is given twice`);
    args.set(name, value);
  };
  for (const text of values.arg ?? []) {
    const at = text.indexOf('=');
    if (at < 1) throw wrongUse(`--arg: expected name=value, got '${text}'`);
    give(text.slice(0, at), text.slice(at + 1));
  }
  for (const name of ['after', 'from'] as const) if (values[name] !== undefined) give(name, values[name]);
  const url = values.url === undefined ? undefined : readUrl(values.url);
  return { field, args, select: values.select, isJson: values.json === true, url, token: values.token };
}

function parse(argv: readonly string[]) {
  const one = { type: 'string' } as const;
  const options = {
    arg: { type: 'string', multiple: true },
    select: one,
    after: one,
    from: one,
    url: one,
    token: one,
    json: { type: 'boolean' },
  } as const;
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (cause) {
    throw new OperatorError(`${(cause as Error).message} ('weft help' lists the commands)`, {
      cause,
      exitCode: 2,
    });
  }
}

/** Of either kind: the other is at the same place. */
function readUrl(text: string): { readonly http: string; readonly ws: string } {
  const parts = /^(http|ws)(s?):(\/\/.+)$/.exec(text);
  if (parts === null || !URL.canParse(text))
    throw wrongUse(`--url: expected the endpoint, such as http://127.0.0.1:4000/graphql, got '${text}'`);
  return { http: `http${parts[2]}:${parts[3]}`, ws: `ws${parts[2]}:${parts[3]}` };
}

export function wrongUse(message: string): OperatorError {
  return new OperatorError(message, { exitCode: 2 });
}

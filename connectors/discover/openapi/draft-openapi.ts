// Drafts the folder of a REST/JSON system from its OpenAPI document.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, dirname, relative } from 'node:path';
import type { DraftedFolder, DraftRequest } from '../discover.ts';
import { draftContract } from '../draft.ts';
import { plainText, stringText } from '../sdl-text.ts';
import { type OpenapiContract, readOpenapi, type SecurityScheme } from './read-openapi.ts';

const TITLE_LENGTH_MAX = 80;

/** @throws OperatorError as `readOpenapi` */
export function draftOpenapi(file: string, request: DraftRequest): DraftedFolder {
  const contract = readOpenapi(file, request.reads, request.encoding);
  const [document = file] = contract.files;
  const contracts = new Map(
    contract.files.map((path) => [`contracts/${relative(dirname(document), path)}`, { copyOf: path }]),
  );
  const setting = `${request.environment}_URL`;
  const auth = authOf(contract, request.system);
  const encoding = request.encoding === undefined ? '' : `\n    encoding: ${stringText(request.encoding)}`;
  const text =
    `  @source(\n    name: ${stringText(request.system)}\n    title: ${stringText(plainText(contract.title ?? basename(file), TITLE_LENGTH_MAX))}\n` +
    `    rest: {\n      baseUrl: "{$env.${setting}}"\n      openapi: ${stringText(`contracts/${basename(document)}`)}${auth.text}\n    }${encoding}\n  )`;
  const head = [
    `Drafted from ${basename(file)} (sha256 ${hashOf(file)}). It is yours now: read it, and change what is wrong.`,
    "Lines with 'check:' are guesses.",
    `The document gives its address as ${contract.address ?? '(none)'}: put the real one, with its path, into ${setting}.`,
    ...auth.checks,
  ];
  const draft = draftContract(contract, {
    system: request.system,
    hub: request.hub,
    source: { name: request.system, text, head },
  });
  return {
    ...draft,
    contracts,
    environment: [{ name: setting, value: contract.address ?? '' }],
    secrets: auth.secrets,
  };
}

interface DraftedAuth {
  readonly text: string;
  readonly secrets: readonly string[];
  readonly checks: readonly string[];
}

/** The first scheme that the hub knows; what it is called in the secret store. */
function authOf({ security }: OpenapiContract, system: string): DraftedAuth {
  const drafted = security.map((scheme) => ({ scheme, auth: authText(scheme, system) }));
  const found = drafted.find(({ auth }) => auth !== undefined);
  const others = security.filter((scheme) => scheme !== found?.scheme);
  const checks = others.map(
    (scheme) => `check: the security scheme ${scheme.name} (${describe(scheme)}) is not used`,
  );
  if (found?.auth === undefined) return { text: '', secrets: [], checks };
  const { secret, text } = found.auth;
  const how = `check: every call logs in by ${found.scheme.name} (${describe(found.scheme)}), with the secret ${secret}`;
  return { text: `\n      auth: { ${text} }`, secrets: [secret], checks: [how, ...checks] };
}

function describe({ type, scheme, in: place, key }: SecurityScheme): string {
  return [type, scheme, place === undefined ? undefined : `in ${place}`, key]
    .filter((part) => part !== undefined)
    .join(' ');
}

function authText(
  scheme: SecurityScheme,
  system: string,
): { readonly text: string; readonly secret: string } | undefined {
  const { type, key } = scheme;
  const kind = scheme.scheme?.toLowerCase();
  if (type === 'apiKey' && scheme.in === 'header' && key !== undefined && /^[A-Za-z0-9-]+$/.test(key)) {
    const secret = `${system}-key`;
    return { text: `apiKey: { header: ${stringText(key)}, secret: "${secret}" }`, secret };
  }
  if (type === 'basic' || (type === 'http' && kind === 'basic'))
    return { text: `basic: "${system}-login"`, secret: `${system}-login` };
  if (type === 'oauth2' || type === 'openIdConnect' || (type === 'http' && kind === 'bearer'))
    return { text: `bearer: "${system}-token"`, secret: `${system}-token` };
  return undefined;
}

/** The first 16 digits are enough to tell one contract from the next. */
function hashOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 16);
}

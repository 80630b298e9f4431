// `weft connect discover`: drafts the folder of a system from the contract that it has.
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { OperatorError } from '@weft/core/errors';
import { checkFolder, type FolderCheck } from '../compile/check.ts';
import { showFile } from '../compile/sdl-folder.ts';
import type { LeftOut } from './contract-model.ts';
import { draftCsv } from './csv/draft-csv.ts';
import type { Draft, HubNames } from './draft.ts';
import { environmentName, systemName } from './names.ts';
import { draftOpenapi } from './openapi/draft-openapi.ts';
import { draftSql } from './sql/draft-sql.ts';
import { draftWsdl } from './wsdl/draft-wsdl.ts';

export type ContractAddress =
  | { readonly kind: 'wsdl'; readonly file: string }
  | { readonly kind: 'openapi'; readonly file: string }
  | { readonly kind: 'csv'; readonly file: string }
  | { readonly kind: 'sql'; readonly url: string; readonly tables: readonly string[] };

export interface DiscoverOptions {
  readonly contract: ContractAddress;
  /** The system's name; default that of the contract's file or database. */
  readonly name?: string | undefined;
  /** The folder to make; default the name, where the command is given. */
  readonly out?: string | undefined;
  /** Charset of the contract, and of what the system answers. */
  readonly encoding?: string | undefined;
  /** Operations that only read, though their names do not say so. */
  readonly reads?: readonly string[];
  readonly hub?: HubNames;
}

export interface Discovery {
  readonly folder: string;
  /** Files written, relative to the folder. */
  readonly files: readonly string[];
  readonly counts: Draft['counts'];
  readonly leftOut: readonly LeftOut[];
  /** Settings that the SDL reads, each with what the contract says of it. */
  readonly environment: readonly { readonly name: string; readonly value: string }[];
  /** Names of secrets that the SDL reads. */
  readonly secrets: readonly string[];
  /** What `weft connect check` says of it. */
  readonly check: FolderCheck;
}

/** What a kind of contract drafts, before anything is written. */
export interface DraftedFolder extends Draft {
  readonly environment: Discovery['environment'];
  readonly secrets: readonly string[];
  /** Files of the contract to lay beside the SDL, by their path in the folder: a file to copy, or a text. */
  readonly contracts: ReadonlyMap<string, { readonly copyOf: string } | { readonly text: string }>;
}

/** What every kind of contract is drafted with. */
export interface DraftRequest {
  readonly system: string;
  /** The prefix of settings: `ORDER_ITEM`. */
  readonly environment: string;
  readonly encoding: string | undefined;
  readonly reads: ReadonlySet<string>;
  readonly hub: HubNames;
}

/**
 * Drafts and writes the folder. Files and databases are read only; nothing else is asked.
 * @throws OperatorError when the folder exists, or with one line, and the place, for a contract that cannot be read
 */
export async function discover(options: DiscoverOptions): Promise<Discovery> {
  const system = systemName(options.name ?? defaultName(options.contract));
  const folder = resolve(options.out ?? system);
  if (existsSync(folder)) {
    throw new OperatorError(
      `${showFile(folder)} exists already, and is not overwritten: give another with --out`,
      {
        exitCode: 2,
      },
    );
  }
  if (options.out !== undefined && systemName(basename(folder)) !== basename(folder)) {
    const what = `a system is named by its folder: '${basename(folder)}' is not small letters, digits and -`;
    throw new OperatorError(`${what}; give another with --out`, { exitCode: 2 });
  }
  const request: DraftRequest = {
    system: basename(folder),
    environment: environmentName(basename(folder)),
    encoding: options.encoding,
    reads: new Set(options.reads),
    hub: options.hub ?? { types: [], fields: [] },
  };
  const drafted = await draftOf(options.contract, request);
  const files = writeFolder(folder, drafted);
  const { counts, leftOut, environment, secrets } = drafted;
  return { folder, files, counts, leftOut, environment, secrets, check: checkFolder(folder) };
}

async function draftOf(contract: ContractAddress, request: DraftRequest): Promise<DraftedFolder> {
  switch (contract.kind) {
    case 'wsdl':
      return draftWsdl(contract.file, request);
    case 'openapi':
      return draftOpenapi(contract.file, request);
    case 'csv':
      return draftCsv(contract.file, request);
    case 'sql':
      return draftSql(contract, request);
    default:
      return contract satisfies never;
  }
}

function defaultName(contract: ContractAddress): string {
  if (contract.kind === 'sql') {
    const path = URL.canParse(contract.url) ? new URL(contract.url).pathname : '';
    return basename(path, extname(path)) || 'database';
  }
  const { file } = contract;
  const stem = basename(file, extname(file)).replace(contract.kind === 'csv' ? /[-_ ]?\d[-\d_ ]*$/ : '', '');
  // Many are called openapi.yaml in the folder of what they describe.
  return /^(?:openapi|swagger|api|service|index|spec)$/i.test(stem) ? basename(dirname(resolve(file))) : stem;
}

/** Writes all or nothing. */
function writeFolder(folder: string, drafted: DraftedFolder): readonly string[] {
  const sdlFile = join(folder, `${basename(folder)}.graphql`);
  const written = [sdlFile];
  try {
    mkdirSync(folder, { recursive: true });
    for (const [path, content] of drafted.contracts) {
      const file = join(folder, path);
      mkdirSync(dirname(file), { recursive: true });
      if ('text' in content) writeFileSync(file, content.text);
      else copyFileSync(content.copyOf, file);
      written.push(file);
    }
    writeFileSync(sdlFile, drafted.sdl);
  } catch (thrown) {
    rmSync(folder, { recursive: true, force: true });
    const { code } = thrown as NodeJS.ErrnoException;
    throw new OperatorError(`${showFile(folder)} cannot be written (${code})`, {
      cause: thrown,
      exitCode: 1,
    });
  }
  return written.map((file) => relative(folder, file));
}

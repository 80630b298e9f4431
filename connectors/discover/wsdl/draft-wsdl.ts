// Drafts the folder of a SOAP system from its WSDL.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { LeftOut } from '../contract-model.ts';
import type { DraftedFolder, DraftRequest } from '../discover.ts';
import { draftContract } from '../draft.ts';
import { plainText, stringText } from '../sdl-text.ts';
import { readWsdl, type WsdlContract } from './read-wsdl.ts';

const TITLE_LENGTH_MAX = 80;

/** @throws OperatorError as `readWsdl` */
export function draftWsdl(file: string, request: DraftRequest): DraftedFolder {
  const contract = readWsdl(file, request.reads, request.encoding);
  const { contracts, leftOut } = copies(contract);
  const wsdl = [...contracts.keys()][0] ?? '';
  const setting = `${request.environment}_URL`;
  const encoding = request.encoding === undefined ? '' : `\n    encoding: ${stringText(request.encoding)}`;
  const text =
    `  @source(\n    name: ${stringText(request.system)}\n    title: ${stringText(plainText(contract.title, TITLE_LENGTH_MAX))}\n` +
    `    soap: { wsdl: ${stringText(wsdl)}, endpoint: "{$env.${setting}}" }${encoding}\n  )`;
  const head = [
    `Drafted from ${basename(file)} (sha256 ${hashOf(file)}). It is yours now: read it, and change what is wrong.`,
    "Lines with 'check:' are guesses. The WSDL says nothing of who may call it: add auth where it is needed.",
    `The WSDL gives its address as ${contract.address ?? '(none)'}: put the real one into ${setting}.`,
  ];
  const draft = draftContract(
    { ...contract, leftOut: [...contract.leftOut, ...leftOut] },
    { system: request.system, hub: request.hub, source: { name: request.system, text, head } },
  );
  return {
    ...draft,
    contracts,
    environment: [{ name: setting, value: contract.address ?? '' }],
    secrets: [],
  };
}

/** All files flat in contracts/, where the runtime looks for imports by their name. */
function copies({
  files,
}: WsdlContract): Pick<DraftedFolder, 'contracts'> & { readonly leftOut: readonly LeftOut[] } {
  const contracts = new Map<string, { copyOf: string }>();
  const leftOut: LeftOut[] = [];
  for (const file of files) {
    const path = `contracts/${basename(file)}`;
    if (contracts.has(path))
      leftOut.push({
        what: file,
        why: `another file of the contract is named ${basename(file)}: give one another name`,
      });
    else contracts.set(path, { copyOf: file });
  }
  return { contracts, leftOut };
}

/** The first 16 digits are enough to tell one contract from the next. */
function hashOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 16);
}

// What an operator may set of documents that are sent by their hash or id.
import { OperatorError } from '@weft/core/errors';
import { readJson } from '@weft/core/read-json';
import { parse } from 'graphql';
import { z } from 'zod';

export interface DocumentSettings {
  /** Whether clients may store documents by their hash (automatic persisted queries). */
  readonly automatic: boolean;
  /** Id to text of documents that were written for this graph; undefined when there is no such list. */
  readonly trusted: ReadonlyMap<string, string> | undefined;
  /** Whether no other document is run. */
  readonly requiresTrusted: boolean;
}

export const DOCUMENT_SETTINGS: DocumentSettings = Object.freeze({
  automatic: false,
  trusted: undefined,
  requiresTrusted: false,
});

/** Of the environment, each by its name. */
export const DOCUMENTS_SHAPE = {
  /** Whether clients may store documents by their hash. */
  WEFT_APQ: z.enum(['true', 'false']).default('false'),
  /** JSON of id to document. */
  WEFT_TRUSTED_DOCUMENTS_FILE: z.string().optional(),
  /** Whether other documents are run too. */
  WEFT_TRUSTED_DOCUMENTS: z.enum(['allow', 'require']).default('allow'),
};

const TRUSTED_DOCUMENTS = z.record(z.string().min(1), z.string().min(1));

/** @throws OperatorError naming the setting, or the file and what is wrong in it */
export function readDocumentSettings(env: z.infer<z.ZodObject<typeof DOCUMENTS_SHAPE>>): DocumentSettings {
  const file = env.WEFT_TRUSTED_DOCUMENTS_FILE;
  const requiresTrusted = env.WEFT_TRUSTED_DOCUMENTS === 'require';
  const refuse = (reason: string) => new OperatorError(`WEFT_TRUSTED_DOCUMENTS: ${reason}`, { exitCode: 2 });
  if (requiresTrusted && file === undefined) throw refuse('require needs WEFT_TRUSTED_DOCUMENTS_FILE');
  if (requiresTrusted && env.WEFT_APQ === 'true') throw refuse('require leaves no place for WEFT_APQ');
  const documents =
    file === undefined ? undefined : readJson('WEFT_TRUSTED_DOCUMENTS_FILE', file, TRUSTED_DOCUMENTS);
  for (const [id, text] of Object.entries(documents ?? {})) requireSyntax(file ?? '', id, text);
  return {
    automatic: env.WEFT_APQ === 'true',
    trusted: documents === undefined ? undefined : new Map(Object.entries(documents)),
    requiresTrusted,
  };
}

/** Whether the graph has what it asks for is told when there is a graph: check-trusted.ts. */
function requireSyntax(file: string, id: string, text: string): void {
  try {
    parse(text, { noLocation: true });
  } catch (cause) {
    const problem = `document "${id}" is not GraphQL: ${(cause as Error).message}`;
    throw new OperatorError(`WEFT_TRUSTED_DOCUMENTS_FILE: ${file}: ${problem}`, { exitCode: 2, cause });
  }
}

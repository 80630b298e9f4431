// What a system brings: decoded, measured, its addresses checked, and named by its content.
import { createHash } from 'node:crypto';
import type { AddressGuard } from '@weft/core/address-guard';
import { HubError } from '@weft/core/errors';
import { canonicalText } from '@weft/evidence/hash';
import { requireBoundedSdl } from '@weft/schema/sdl-limits';

export interface VersionInput {
  readonly system: string;
  readonly sdl: string;
  readonly url: string;
  readonly subscriptions?: {
    readonly url?: string | null;
    readonly protocol?: string | null;
  } | null;
  readonly folder?: readonly { readonly path: string; readonly text: string }[] | null;
  readonly commit?: string | null;
  readonly expectedVersion?: string | null;
}

/** A version that has not been stored, or need not be. */
export interface NewVersion {
  readonly system: string;
  readonly id: string;
  readonly sdl: string;
  /** As URL writes it. */
  readonly url: string;
  readonly subscriptionsUrl: string | null;
  readonly subscriptionsProtocol: string | null;
  readonly folder: Readonly<Record<string, string>> | null;
  readonly commit: string | null;
}

const FOLDER_FILES_MAX = 100;
const FOLDER_CHARS_MAX = 500_000;
const PATH = /^(?!.*\.\.)[\w.-]+(\/[\w.-]+){0,5}$/;
const COMMIT_LENGTH_MAX = 100;
const PROTOCOLS: ReadonlySet<string> = new Set(['graphql-transport-ws', 'graphql-sse']);

/**
 * @throws HubError INVALID_URL; SDL_TOO_LARGE; BAD_USER_INPUT naming the argument
 */
export async function decodeVersion(input: VersionInput, guard: AddressGuard): Promise<NewVersion> {
  const { system, sdl, commit = null } = input;
  requireText('commit', commit, COMMIT_LENGTH_MAX);
  if (sdl.includes('\0')) throw bad('sdl', 'expected text without NUL');
  requireBoundedSdl(sdl);
  const folder = decodeFolder(input.folder ?? []);
  const { url } = await guard.check(input.url);
  const subscriptions = await decodeSubscriptions(input.subscriptions, guard);
  const content = { sdl, url: url.href, ...subscriptions, folder };
  return { system, id: versionIdOf(content), ...content, commit };
}

type Content = Pick<NewVersion, 'sdl' | 'url' | 'subscriptionsUrl' | 'subscriptionsProtocol' | 'folder'>;

/** `sha256:` and the hash of the canonical JSON of what a version is; what it has not is left out. */
export function versionIdOf({ sdl, url, subscriptionsUrl, subscriptionsProtocol, folder }: Content): string {
  const subscriptions = subscriptionsOf({ subscriptionsUrl, subscriptionsProtocol });
  return contentHash({
    sdl,
    url,
    ...(subscriptions && { subscriptions }),
    ...(folder === null ? {} : { folder }),
  });
}

/** As a gateway reads it; undefined when it is nothing but the default. */
export function subscriptionsOf({
  subscriptionsUrl: url,
  subscriptionsProtocol: protocol,
}: Pick<NewVersion, 'subscriptionsUrl' | 'subscriptionsProtocol'>):
  | { readonly url?: string; readonly protocol?: string }
  | undefined {
  if (url === null && protocol === null) return undefined;
  return { ...(url === null ? {} : { url }), ...(protocol === null ? {} : { protocol }) };
}

/** `sha256:` and 64 hex digits, of the canonical JSON (RFC 8785). */
export function contentHash(content: unknown): string {
  return textHash(canonicalText(content));
}

/** `sha256:` and 64 hex digits, of the text in UTF-8. */
export function textHash(text: string): string {
  return `sha256:${createHash('sha256').update(text, 'utf8').digest('hex')}`;
}

/** A WebSocket's address is checked as the HTTP one that it begins as. */
async function decodeSubscriptions(
  given: VersionInput['subscriptions'],
  guard: AddressGuard,
): Promise<Pick<NewVersion, 'subscriptionsUrl' | 'subscriptionsProtocol'>> {
  const { url = null, protocol = null } = given ?? {};
  if (protocol !== null && !PROTOCOLS.has(protocol))
    throw bad('subscriptions.protocol', `expected ${[...PROTOCOLS].join(' or ')}`);
  if (url === null) return { subscriptionsUrl: null, subscriptionsProtocol: protocol };
  const isSocket = /^wss?:/i.test(url);
  if (isSocket && protocol === 'graphql-sse')
    throw bad('subscriptions.url', 'expected http or https for graphql-sse');
  const checked = await guard.check(url.replace(/^ws/i, 'http'));
  const { href } = checked.url;
  return {
    subscriptionsUrl: isSocket ? href.replace(/^http/, 'ws') : href,
    subscriptionsProtocol: protocol,
  };
}

function decodeFolder(files: NonNullable<VersionInput['folder']>): NewVersion['folder'] {
  if (files.length === 0) return null;
  const chars = files.reduce((sum, { path, text }) => sum + path.length + text.length, 0);
  if (files.length > FOLDER_FILES_MAX || chars > FOLDER_CHARS_MAX)
    throw new HubError(
      'SDL_TOO_LARGE',
      `folder: at most ${FOLDER_FILES_MAX} files of ${FOLDER_CHARS_MAX} characters together`,
      { details: { argument: 'folder', limit: 'FOLDER_CHARS_MAX', max: FOLDER_CHARS_MAX, got: chars } },
    );
  const wrong = files.find(({ path, text }) => !PATH.test(path) || text.includes('\0'));
  if (wrong !== undefined)
    throw bad('folder', `${JSON.stringify(wrong.path.slice(0, 100))} is no file of a folder`);
  return Object.fromEntries(files.map(({ path, text }) => [path, text]));
}

/** @throws HubError BAD_USER_INPUT naming the argument */
export function requireText(argument: string, value: string | null | undefined, lengthMax: number): void {
  if (typeof value !== 'string') return;
  if (value.length > lengthMax) throw bad(argument, `expected at most ${lengthMax} characters`);
  if (value.includes('\0')) throw bad(argument, 'expected text without NUL');
}

/** An argument that is not acceptable. */
export function bad(argument: string, problem: string): HubError {
  return new HubError('BAD_USER_INPUT', `${argument}: ${problem}`, { details: { argument } });
}

// The control of a simulated system as the city calls it: over HTTP, and never longer than the city can wait.

export type Reply =
  | { readonly kind: 'done'; readonly body: unknown }
  /** The system answered that it will never take this. */
  | { readonly kind: 'refused' }
  /** The system is not there, too slow or in trouble; later it may take the same. */
  | { readonly kind: 'away' };

export interface Control {
  /** Never rejects. `path` begins behind `/_control`. */
  post(path: string, body: unknown): Promise<Reply>;
}

export interface ControlOptions {
  /** Its name in the log; undefined logs nothing. */
  readonly system: string | undefined;
  /** The `/_control` URL; without one the system is always away. */
  readonly url: string | undefined;
  /** Ends what is in flight; afterwards the system is away. */
  readonly closing: AbortSignal;
}

const CALL_MS_MAX = 2_000;
/** A system that was away is not asked again for so long: one that hangs must not hold up each turn of the city. */
const AWAY_MS = 2_000;
const ANSWER_BYTES_MAX = 1_000_000;

export function openControl({ system, url, closing }: ControlOptions): Control {
  let isAway = false;
  let askAgainAtMs = 0;
  const tell = (what: string) => {
    if (system !== undefined) process.stderr.write(`simulators: the city ${what}\n`);
  };
  const goOnWithout = (reason: unknown): Reply => {
    if (closing.aborted) return { kind: 'away' };
    if (!isAway) tell(`goes on without ${system}: ${String(reason)}`);
    isAway = true;
    askAgainAtMs = performance.now() + AWAY_MS;
    return { kind: 'away' };
  };
  const post = async (path: string, body: unknown): Promise<Reply> => {
    if (url === undefined || closing.aborted || performance.now() < askAgainAtMs) return { kind: 'away' };
    try {
      const response = await fetch(`${url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json; charset=utf-8' },
        body: JSON.stringify(body),
        signal: AbortSignal.any([closing, AbortSignal.timeout(CALL_MS_MAX)]),
      });
      const answer = await readAnswer(response);
      if (response.status >= 500) return goOnWithout(`status ${response.status}`);
      if (isAway) tell(`has ${system} again`);
      isAway = false;
      if (!response.ok) return { kind: 'refused' };
      return { kind: 'done', body: JSON.parse(answer) };
    } catch (thrown) {
      return goOnWithout(thrown instanceof Error ? (thrown.cause ?? thrown) : thrown);
    }
  };
  return { post };
}

async function readAnswer(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop by an error cancels the body, and with it the connection.
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) throw new RangeError(`an answer is at most ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A text of the first thing in a reply; undefined when the reply has none. */
export function readText(reply: Reply, name: string): string | undefined {
  if (reply.kind !== 'done' || !Array.isArray(reply.body)) return undefined;
  const first: unknown = reply.body[0];
  if (typeof first !== 'object' || first === null) return undefined;
  const value = (first as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'string' ? value : undefined;
}

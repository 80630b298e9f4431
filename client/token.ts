// The token that a connection begins with, and the fresh ones that follow it in-band.
import { TIMER_MS_MAX } from './limits.ts';

/** A bearer token, or how to get one: called for each connection, and before the one in use ends. */
export type TokenSource = string | (() => string | Promise<string>);

/** Reads when a JSON Web Token ends, in milliseconds since 1970; undefined for others: nobody but the issuer can know. */
export function endOfToken(token: string): number | undefined {
  try {
    const [, payload = ''] = token.split('.');
    const claims: unknown = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')));
    const exp = typeof claims === 'object' && claims !== null && 'exp' in claims ? claims.exp : undefined;
    return typeof exp === 'number' ? exp * 1_000 : undefined;
  } catch {
    // No JSON Web Token: it is taken as it is.
    return undefined;
  }
}

/** What the gateway answers to a fresh token, in the payload of its pong. */
export interface RenewalAnswer {
  readonly authorization: 'renewed' | 'refused';
  /** When the credentials end, as RFC 3339 text or in milliseconds since 1970. */
  readonly expiresAt?: string | number | null | undefined;
}

/** Undefined for the answer to a mere ping, and for that of a server which does not know fresh tokens and sends the payload back. */
export function readRenewal(payload: unknown): RenewalAnswer | undefined {
  if (typeof payload !== 'object' || payload === null || !('authorization' in payload)) return undefined;
  const { authorization } = payload;
  const isAnswer = authorization === 'renewed' || authorization === 'refused';
  return isAnswer ? (payload as RenewalAnswer) : undefined;
}

export interface RenewalOptions {
  source(): string | Promise<string>;
  readonly renewBeforeMs: number;
  /** Sends `ping` with `{ authorization }`. */
  send(authorization: string): void;
  /** The token was not renewed: only a new connection can bring it. */
  onRefused(): void;
}

export interface Renewal {
  /** A connection began with this token. */
  began(token: string): void;
  /** Of every pong. */
  answered(payload: unknown): void;
  stop(): void;
}

const RETRY_MS_MIN = 1_000;

/** Renews the token of one connection after the other, as long as its end is known. */
export function createRenewal(options: RenewalOptions): Renewal {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let connection = 0;
  let pending: string | undefined;
  const schedule = (endsAtMs: number | undefined) => {
    clearTimeout(timer);
    if (endsAtMs === undefined) return;
    const leftMs = endsAtMs - Date.now();
    const waitMs = Math.max(leftMs - options.renewBeforeMs, leftMs / 2, RETRY_MS_MIN);
    timer = setTimeout(() => void renew(connection, endsAtMs), Math.min(waitMs, TIMER_MS_MAX));
  };
  const renew = async (current: number, endsAtMs: number) => {
    let token: string | undefined;
    try {
      token = await options.source();
    } catch {
      // Asked again before the one in use ends; after that the gateway closes, and the next connection asks.
    }
    if (current !== connection) return;
    if (token === undefined) {
      if (endsAtMs > Date.now()) schedule(endsAtMs);
      return;
    }
    pending = token;
    options.send(`Bearer ${token}`);
  };
  return {
    began(token) {
      connection += 1;
      pending = undefined;
      schedule(endOfToken(token));
    },
    answered(payload) {
      if (
        pending === undefined ||
        typeof payload !== 'object' ||
        payload === null ||
        !('authorization' in payload)
      )
        return;
      const token = pending;
      pending = undefined;
      const answer = readRenewal(payload);
      if (answer?.authorization !== 'renewed') return options.onRefused();
      schedule(endOfAnswer(answer) ?? endOfToken(token));
    },
    stop() {
      connection += 1;
      clearTimeout(timer);
    },
  };
}

function endOfAnswer({ expiresAt }: RenewalAnswer): number | undefined {
  if (expiresAt === undefined || expiresAt === null) return undefined;
  const atMs = typeof expiresAt === 'number' ? expiresAt : Date.parse(expiresAt);
  return Number.isFinite(atMs) ? atMs : undefined;
}

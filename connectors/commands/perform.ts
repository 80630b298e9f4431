// Makes the calls of a command: sends it, or asks its system about it, and says what that has brought.
import { HubError } from '@weft/core/errors';
import { forgetWritten } from '../freshness/forget.ts';
import { callConnect } from '../load/connect.ts';
import { createRequestContext } from '../load/request-context.ts';
import type { RunningSystem } from '../load/system.ts';
import type { FieldPlan, WritePlan } from '../plan.ts';
import type { Command } from './command.ts';
import type { Fate, Finding } from './settle.ts';

/** A field of Mutation that is sent as a command. */
export type WriteField = Extract<FieldPlan, { kind: 'call' }> & { readonly write: WritePlan };

/**
 * @param requireLease throws when the lease does not hold for as long as the call may take; called just before it is made
 * @param signal ends the call
 */
export async function sendCommand(
  system: RunningSystem,
  field: WriteField,
  command: Command,
  requireLease: () => void,
  signal: AbortSignal,
): Promise<Fate> {
  let wasSent = false;
  const request = createRequestContext(system, signal, command.correlationId, {
    onSend() {
      requireLease();
      wasSent = true;
    },
  });
  try {
    const rows = await callConnect(request, field.connect, { args: command.args, this: {} }, false);
    await forgetAll(system, field);
    return { kind: 'ANSWERED', row: rows[0] ?? null };
  } catch (thrown) {
    const error = HubError.from(thrown);
    const code = codeOf(error);
    // Whatever kept it from being handed to the client: quiet hours, an open breaker, a full queue, a lease that ends.
    if (!wasSent || (error.hadNoEffect && error.retryable)) {
      const { retryAfterMs, upstreamStatus } = error.details;
      return {
        kind: 'NOT_SENT',
        code,
        isAway: error.code === 'UPSTREAM_UNAVAILABLE' && upstreamStatus === undefined,
        retryAfterMs: typeof retryAfterMs === 'number' ? retryAfterMs : undefined,
      };
    }
    if (error.hadNoEffect) return { kind: 'REFUSED', code };
    await forgetAll(system, field);
    return { kind: 'NOT_ANSWERED', code };
  }
}

/** Asks whether the old system knows the client number. */
export async function askAbout(
  system: RunningSystem,
  field: WriteField,
  command: Command,
  signal: AbortSignal,
): Promise<Finding> {
  const { reconcile } = field.write;
  const asked = reconcile === undefined ? undefined : system.plan.fields.get(reconcile.field);
  if (reconcile === undefined || asked?.kind !== 'call') return { kind: 'NOT_ASKED', code: 'NO_RECONCILE' };
  const args = { ...command.args, [reconcile.argument]: command.idempotencyKey };
  const request = createRequestContext(system, signal, command.correlationId);
  try {
    const [row] = await callConnect(request, asked.connect, { args, this: {} });
    if (row === undefined || row.known === false) return { kind: 'NOT_FOUND' };
    await forgetAll(system, field);
    return { kind: 'FOUND', row };
  } catch (thrown) {
    return { kind: 'NOT_ASKED', code: codeOf(HubError.from(thrown)) };
  }
}

/** It was applied, or may have been, and a receipt does not say to which records. */
function forgetAll(system: RunningSystem, { connect, returnType }: WriteField): Promise<void> {
  return forgetWritten(system, connect.source, returnType, []).catch((err: unknown) =>
    system.logger.warn({ err }, 'what was kept of before a write could not be dropped'),
  );
}

/** The most telling of what is known: the old system's own code before a status, that before the hub's code. */
function codeOf({ code, details }: HubError): string {
  const { upstreamCode, faultCode, upstreamStatus, reason } = details;
  const own = upstreamCode ?? faultCode;
  if (own !== undefined && own !== null) return String(own);
  if (typeof upstreamStatus === 'number') return `HTTP_${upstreamStatus}`;
  return typeof reason === 'string' ? reason : code;
}

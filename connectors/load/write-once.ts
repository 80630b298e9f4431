// A mutation that is no command: one call, and an honest word when nobody knows whether it was applied.
import { HubError } from '@weft/core/errors';
import type { ConnectPlan } from '../plan.ts';
import { type CallScope, callConnect, type Row } from './connect.ts';
import type { RequestContext } from './request-context.ts';

/**
 * Calls once, as `callConnect` does.
 * @throws HubError of the source when it is certain that nothing was applied; else WRITE_UNKNOWN with the same details
 */
export async function writeOnce(
  request: RequestContext,
  connect: ConnectPlan,
  variable: CallScope,
): Promise<readonly Row[]> {
  let wasSent = false;
  const onSend = () => {
    wasSent = true;
  };
  try {
    return await callConnect({ ...request, onSend }, connect, variable, false);
  } catch (thrown) {
    const error = HubError.from(thrown);
    if (!wasSent || error.hadNoEffect) throw error;
    const { name } = request.system.plan;
    throw new HubError('WRITE_UNKNOWN', `${name}: sent, and nobody knows whether it was applied`, {
      system: name,
      details: { source: connect.source, ...error.details },
      cause: error,
    });
  }
}

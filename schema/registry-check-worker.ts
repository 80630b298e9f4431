// The thread in which the registry's checks run.
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { invariant } from '@weft/core/errors';
import { checkProposal } from './check-proposal.ts';
import type { ProposalTask } from './registry-checks.ts';

const port = parentPort;
invariant(port !== null, 'the checking thread runs as a worker');
/** Of processes that answer at once: a check is waited for by one, and they by everybody. */
const NICE = 10;
try {
  // On Linux of this thread alone (https://man7.org/linux/man-pages/man2/setpriority.2.html, "C library/kernel differences").
  if (process.platform === 'linux') setPriority(NICE);
} catch {
  // Where it may not be set, checks compete as everything does.
}
// What it throws ends the thread, and is the error of who waits for the answer.
port.on('message', async ({ proposal, used }: ProposalTask) =>
  port.postMessage(await checkProposal(proposal, used)),
);

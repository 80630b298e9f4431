// The connector host over the simulated ledger, as a program that a test can kill.
import { runProcess } from '@weft/core/process';
import { startLedgerHost } from './rig.ts';

await runProcess('ledger-host', () =>
  startLedgerHost(process.env.DATABASE_URL ?? '', process.env.LEDGER_URL ?? ''),
);

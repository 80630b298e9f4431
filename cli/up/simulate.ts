// `weft simulate`: one simulated system in the foreground, on the port and with the books of the hub that runs here.
import { spawn } from 'node:child_process';
import { OperatorError } from '@weft/core/errors';
import { isPortFree } from '@weft/core/process-table';
import { homeDirectory } from '../checkout.ts';
import { readUpConfig } from './config.ts';
import { PORT_NAMES, SIMULATED, type Simulated, simulatedPart } from './parts.ts';
import { readPorts } from './run-file.ts';
import { openSecrets } from './secrets.ts';

const PORT_OF = { city: undefined, hotline: 'hotline', grid: 'gridControl', police: 'police' } as const;

/**
 * Runs until it is stopped.
 * @throws OperatorError when there is no such system, no hub was ever started here, or it runs already
 */
export async function simulateCommand(name: string): Promise<void> {
  if (!isSimulated(name)) {
    throw new OperatorError(`expected one of ${SIMULATED.join(', ')} after 'weft simulate'`, { exitCode: 2 });
  }
  const home = homeDirectory(process.env);
  const kept = readPorts(home);
  const missing = PORT_NAMES.filter((port) => kept[port] === undefined);
  if (missing.length > 0) throw new OperatorError(`no hub was started in ${home} yet: run 'npm start' first`);
  const ports = Object.fromEntries(PORT_NAMES.map((port) => [port, kept[port] ?? 0])) as Record<
    (typeof PORT_NAMES)[number],
    number
  >;
  const portName = PORT_OF[name];
  if (portName !== undefined && !(await isPortFree(ports[portName], '127.0.0.1'))) {
    throw new OperatorError(`${name} runs already on port ${ports[portName]}`);
  }
  const spec = simulatedPart(
    { home, config: readUpConfig(process.env), ports, secrets: openSecrets(home) },
    name,
  );
  const child = spawn(process.execPath, [spec.script], { env: spec.env, stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  await new Promise<void>((resolve) => child.once('exit', () => resolve()));
}

function isSimulated(name: string): name is Simulated {
  return (SIMULATED as readonly string[]).includes(name);
}

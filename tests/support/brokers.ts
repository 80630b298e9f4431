// Message brokers for tests: the machine's RabbitMQ, and a mosquitto of the test's own that can be ended and started again.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@weft/core/process-table';
import { waitFor } from './wait.ts';

const PROBE_MS_MAX = 2_000;

/** RabbitMQ for tests: WEFT_TEST_RABBITMQ, else the local server with its guest. */
export const RABBITMQ_URL = process.env.WEFT_TEST_RABBITMQ ?? 'amqp://guest:guest@127.0.0.1:5672';

/** Undefined when RabbitMQ answers, else why the tests on it are skipped. */
export async function whyNoRabbitmq(): Promise<string | undefined> {
  const { hostname, port } = new URL(RABBITMQ_URL);
  try {
    await answers(hostname, Number(port || 5672));
    return undefined;
  } catch (thrown) {
    return tellSkipped(`RabbitMQ cannot be reached: ${(thrown as Error).message}`);
  }
}

/** Undefined when mosquitto is installed, else why the tests with it are skipped. */
export function whyNoMosquitto(): string | undefined {
  const found = spawnSync('mosquitto_passwd', ['--help']).error ?? spawnSync('mosquitto', ['-h']).error;
  return found === undefined ? undefined : tellSkipped('mosquitto is not installed here');
}

function tellSkipped(reason: string): string {
  console.warn(`SKIPPED: ${reason}`);
  return reason;
}

export interface Mosquitto {
  readonly port: number;
  /** SIGKILL: what it had not written is gone. */
  kill(): Promise<void>;
  /** Ends in good order, with what it keeps for its clients written. */
  end(): Promise<void>;
  /** On the same port, with what was written. */
  start(): Promise<void>;
  /** Users and their passwords from now on; who is connected stays so. */
  setLogins(logins: Readonly<Record<string, string>>): Promise<void>;
  close(): Promise<void>;
}

/**
 * A broker in a folder of its own.
 * @param logins who may connect; undefined: whoever comes
 */
export async function startMosquitto(logins?: Readonly<Record<string, string>>): Promise<Mosquitto> {
  const folder = mkdtempSync(join(tmpdir(), 'weft-mosquitto-'));
  const port = await freePort();
  const [configuration, passwords] = [join(folder, 'mosquitto.conf'), join(folder, 'passwords')];
  writeFileSync(
    configuration,
    [
      `listener ${port} 127.0.0.1`,
      // Run by root it would become a user who may not read the folder.
      `user ${userInfo().username}`,
      'persistence true',
      `persistence_location ${folder}/`,
      'autosave_on_changes true',
      'autosave_interval 1',
      'max_queued_messages 0',
      ...(logins === undefined
        ? ['allow_anonymous true']
        : ['allow_anonymous false', `password_file ${passwords}`]),
    ].join('\n'),
  );
  const writeLogins = (users: Readonly<Record<string, string>>) => {
    writeFileSync(
      passwords,
      Object.entries(users)
        .map(([user, password]) => `${user}:${password}\n`)
        .join(''),
      { mode: 0o600 },
    );
    const { status, stderr } = spawnSync('mosquitto_passwd', ['-U', passwords]);
    if (status !== 0) throw new Error(`mosquitto_passwd: ${stderr}`);
  };
  if (logins !== undefined) writeLogins(logins);
  let child: ChildProcess | undefined;
  const signal = async (name: NodeJS.Signals) => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(name);
    await gone;
  };
  // Also when a test ends without closing it.
  const killAtExit = () => child?.kill('SIGKILL');
  process.once('exit', killAtExit);
  const broker: Mosquitto = {
    port,
    kill: () => signal('SIGKILL'),
    end: () => signal('SIGTERM'),
    async start() {
      child = spawn('mosquitto', ['-c', configuration], { stdio: 'ignore' });
      await waitFor('mosquitto to answer', async () => {
        await answers('127.0.0.1', port);
        return true;
      });
    },
    async setLogins(users) {
      writeLogins(users);
      child?.kill('SIGHUP');
      // It reads the file when it next looks around.
      await new Promise((resolve) => setTimeout(resolve, 200));
    },
    async close() {
      await broker.kill();
      process.off('exit', killAtExit);
      rmSync(folder, { recursive: true });
    },
  };
  await broker.start();
  return broker;
}

async function answers(host: string, port: number): Promise<void> {
  const socket = connect({ host, port, timeout: PROBE_MS_MAX });
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}

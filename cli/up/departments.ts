// The simulated departments of `weft up`: their settings, how the hub reaches them, and whether a RabbitMQ is there for one of them.
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import type { Plan } from './parts.ts';

/** They share a process: each is small, and rarely asked. */
export const DEPARTMENTS = ['urban-management', 'human-resources', 'market-supervision'] as const;

type DepartmentsPlan = Pick<Plan, 'home' | 'config' | 'secrets' | 'ports' | 'hasRabbitmq'>;

/** What the simulators get (simulators/README.md). */
export function departmentSettings(plan: DepartmentsPlan): Readonly<Record<string, string>> {
  const { ports, secrets } = plan;
  const ingest = `http://127.0.0.1:${ports.ingest}/in`;
  return {
    URBAN_MANAGEMENT_PORT: String(ports.urbanManagement),
    URBAN_MANAGEMENT_APP_ID: secrets.departments.urbanManagementApp,
    URBAN_MANAGEMENT_APP_SECRET: secrets.departments.urbanManagementHmac,
    URBAN_MANAGEMENT_WEBHOOK_URL: `${ingest}/urban-management`,
    URBAN_MANAGEMENT_WEBHOOK_SECRET: secrets.departments.urbanManagementWebhook,
    HUMAN_RESOURCES_CONTROL_PORT: String(ports.humanResources),
    ...(plan.hasRabbitmq
      ? { HUMAN_RESOURCES_AMQP_URL: plan.config.WEFT_HR_AMQP_URL, HUMAN_RESOURCES_PREFIX: queuePrefix(plan) }
      : { HUMAN_RESOURCES_MQTT_PORT: String(ports.humanResourcesMqtt) }),
    MARKET_SUPERVISION_PORT: String(ports.marketSupervision),
    MARKET_SUPERVISION_CLIENT: secrets.departments.marketSupervisionClient,
    MARKET_SUPERVISION_WEBHOOK_URL: `${ingest}/market-supervision`,
    MARKET_SUPERVISION_WEBHOOK_SECRET: secrets.departments.marketSupervisionWebhook,
  };
}

/** What the connectors get: the addresses, and which description of human resources counts. */
export function departmentAddresses(plan: DepartmentsPlan): Readonly<Record<string, string>> {
  const { ports } = plan;
  return {
    WEFT_URBAN_MANAGEMENT_URL: `http://127.0.0.1:${ports.urbanManagement}/api/v2`,
    WEFT_MARKET_SUPERVISION_URL: `http://127.0.0.1:${ports.marketSupervision}`,
    WEFT_HR_MQTT_URL: `mqtt://127.0.0.1:${ports.humanResourcesMqtt}`,
    ...(plan.hasRabbitmq ? {} : { WEFT_SYSTEM_VARIANTS: 'human-resources=over-mqtt' }),
  };
}

/** The RabbitMQ of human resources: an address without credentials, which are a secret. */
export function amqpAddress(plan: DepartmentsPlan): Readonly<Record<string, string>> {
  const url = new URL(plan.config.WEFT_HR_AMQP_URL);
  const login = [url.username, url.password].map(decodeURIComponent).join(':');
  [url.username, url.password] = ['', ''];
  return {
    WEFT_HR_AMQP_URL: url.href,
    WEFT_HR_PREFIX: queuePrefix(plan),
    ...(login === ':' ? {} : { SECRET_HUMAN_RESOURCES_LOGIN: login }),
  };
}

/** Of the queues of human resources: several hubs on one RabbitMQ must not meet. */
function queuePrefix({ home, config }: DepartmentsPlan): string {
  const own = createHash('sha256').update(home).digest('hex').slice(0, 12);
  return config.WEFT_HR_PREFIX ?? `weft-hr-${own}`;
}

const PROBE_MS_MAX = 1_000;
const AMQP_PORT = 5672;
const AMQPS_PORT = 5671;
/** AMQP 0-9-1, 4.2.2: the client begins; the server answers with a method frame, or with the header that it wants. */
const PROTOCOL_HEADER = Buffer.from([...Buffer.from('AMQP'), 0, 0, 9, 1]);
const METHOD_FRAME = 1;

/** Whether a broker of AMQP 0-9-1 answers there; with `amqps:` whether somebody listens. Never rejects. */
export function answersAmqp(address: string): Promise<boolean> {
  const { protocol, hostname, port } = new URL(address);
  const isTls = protocol === 'amqps:';
  return new Promise((resolve) => {
    const socket = connect(
      Number(port || (isTls ? AMQPS_PORT : AMQP_PORT)),
      hostname.replace(/^\[|\]$/g, ''),
    );
    const end = (answers: boolean) => {
      socket.destroy();
      resolve(answers);
    };
    socket.setTimeout(PROBE_MS_MAX, () => end(false));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
    socket.once('connect', () => (isTls ? end(true) : socket.write(PROTOCOL_HEADER)));
    socket.once('data', (bytes) => end(bytes[0] === METHOD_FRAME));
  });
}

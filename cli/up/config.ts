// The settings of `weft up`.
import { logLevel, port, readConfig } from '@weft/core/config';
import { z } from 'zod';

const SHAPE = {
  /** Where clients reach the hub. */
  PORT: port.default(4000),
  /** The address the gateway listens on. */
  WEFT_HOST: z.string().default('127.0.0.1'),
  /** Any PostgreSQL; absent: the embedded one. */
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\/[^/]+\/[^/?]+/, 'expected postgresql://user:password@host:port/database')
    .optional(),
  /** Handed on as they are to who reads or relays events. */
  EVENT_LOG: z.string().optional(),
  WEFT_EVENT_RETENTION: z.string().optional(),
  /** Handed to the connectors as they are. */
  WEFT_GUARD_REDIS_URL: z.string().optional(),
  WEFT_GUARD_REPLICAS: z.string().optional(),
  /** Where the hub keeps its data; default `.weft` in the checkout. */
  WEFT_HOME: z.string().optional(),
  WEFT_LOG_LEVEL: logLevel,
  /** Handed to the gateway as they are, which checks them. */
  WEFT_ENGINE: z.string().optional(),
  WEFT_PLANNER: z.string().optional(),
  WEFT_SHARE_IN_FLIGHT: z.string().optional(),
  WEFT_FORWARDED_HEADERS: z.string().optional(),
  WEFT_JWKS: z.string().optional(),
  WEFT_JWT_ISSUER: z.string().optional(),
  WEFT_JWT_AUDIENCE: z.string().optional(),
  WEFT_JWT_ALGORITHMS: z.string().optional(),
  WEFT_JWT_TYPES: z.string().optional(),
  WEFT_JWT_CLOCK_TOLERANCE_MS: z.string().optional(),
  WEFT_JWT_ROLES_CLAIM: z.string().optional(),
  WEFT_JWT_DIVISION_CLAIM: z.string().optional(),
  WEFT_JWT_DEPARTMENT_CLAIM: z.string().optional(),
  WEFT_API_KEYS_FILE: z.string().optional(),
  /** `production`: no issuer of the demo. */
  NODE_ENV: z.string().optional(),
  WEFT_OVERRIDE_LABELS: z.string().optional(),
  WEFT_POLICIES_FILE: z.string().optional(),
  WEFT_UNAUTHORIZED: z.string().optional(),
  WEFT_CSRF: z.string().optional(),
  WEFT_CORS_ORIGINS: z.string().optional(),
  WEFT_COMPRESSION: z.string().optional(),
  WEFT_BATCHING: z.string().optional(),
  WEFT_EVIDENCE_KEY_FILE: z.string().optional(),
  WEFT_EVIDENCE_HASH: z.string().optional(),
  WEFT_EVIDENCE_INTERVAL_MS: z.string().optional(),
  WEFT_STREAMS_PER_PRINCIPAL_MAX: z.string().optional(),
  WEFT_STREAMS_PER_ADDRESS_MAX: z.string().optional(),
  WEFT_SOCKETS_MAX: z.string().optional(),
  WEFT_SOCKETS_PER_PRINCIPAL_MAX: z.string().optional(),
  WEFT_SOCKETS_PER_ADDRESS_MAX: z.string().optional(),
  WEFT_APQ: z.string().optional(),
  WEFT_TRUSTED_DOCUMENTS_FILE: z.string().optional(),
  WEFT_TRUSTED_DOCUMENTS: z.string().optional(),
  WEFT_COST_MAX: z.string().optional(),
  WEFT_INTROSPECTION: z.string().optional(),
  WEFT_SUBGRAPH_MESSAGES: z.string().optional(),
  /** A check composes the whole graph, which takes its time on a machine that is busy. */
  WEFT_SUBGRAPH_TIMEOUTS_MS: z.string().default('registry=15000'),
  WEFT_METRICS: z.string().optional(),
  WEFT_INSPECT: z.string().optional(),
  WEFT_EXPLORER: z.string().optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.string().optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z.string().optional(),
  OTEL_EXPORTER_OTLP_HEADERS: z.string().optional(),
  OTEL_SERVICE_NAME: z.string().optional(),
  OTEL_TRACES_SAMPLER: z.string().optional(),
  OTEL_TRACES_SAMPLER_ARG: z.string().optional(),
  /** `host:port` of departments' systems beside the hub's own, handed to registry and gateway. */
  WEFT_REGISTRY_ALLOWED_HOSTS: z.string().optional(),
  WEFT_GRAPH_VARIANT: z.string().optional(),
  WEFT_REGISTRY_VARIANTS_FILE: z.string().optional(),
  /** Handed to the subgraphs as they are, which check them. */
  WEFT_ANONYMOUS_MAY: z.string().optional(),
  WEFT_DEADLINES_FILE: z.string().optional(),
  WEFT_DIRECTORY_FILE: z.string().optional(),
  WEFT_ATTACHMENTS: z.string().optional(),
  WEFT_ATTACHMENT_BYTES_MAX: z.string().optional(),
  WEFT_ATTACHMENTS_UNREFERENCED_MS: z.string().optional(),
  WEFT_ATTACHMENTS_PENDING_BYTES_MAX: z.string().optional(),
  /** Webhooks out: their process is started only where there is a file of them. */
  WEFT_DRIFT_EVERY: z.string().optional(),
  WEFT_WEBHOOKS_FILE: z.string().optional(),
  WEFT_WEBHOOKS_GATEWAY_URL: z.string().optional(),
  WEFT_WEBHOOKS_ALLOWED_HOSTS: z.string().optional(),
  /** The simulated human resources run on this RabbitMQ where it answers, else on an MQTT broker of their own. */
  WEFT_HR_AMQP_URL: z
    .string()
    .regex(/^amqps?:\/\/[^/]+/, 'expected amqp://user:password@host:port')
    .default('amqp://guest:guest@127.0.0.1:5672'),
  /** Of the queues of human resources there; default: of the home. */
  WEFT_HR_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,60}$/, 'expected letters, digits, _ and -, at most 60')
    .optional(),
  WEFT_SYSTEM_VARIANTS: z.string().optional(),
  /** Orders and grid events the simulated city makes a minute; 0 for none. */
  DEMO_RATE: z.coerce.number().min(0).max(6000).default(30),
} as const;

/**
 * @param addressNames the environment names that wrapped systems take their addresses from
 * @throws OperatorError naming every setting that is wrong
 */
export function readUpConfig(
  env: Readonly<Record<string, string | undefined>>,
  addressNames: readonly string[],
) {
  return readConfig(SHAPE, env, addressNames);
}

export type UpConfig = ReturnType<typeof readUpConfig>;

// The settings of what shows itself: metrics, traces, looking inside, the explorer. Read by config.ts, as all are.
import { OperatorError } from '@weft/core/errors';
import { z } from 'zod';

const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

/** Environment names and their shapes, for the gateway's own. */
export const OBSERVE_SHAPE = {
  /** `production` closes what only developers need. */
  NODE_ENV: z.string().optional(),
  /** `off`, `main` for the port of all else, or a port of its own, with a host before it where that differs from WEFT_HOST. */
  WEFT_METRICS: z
    .string()
    .regex(/^(?:off|main|(?:[^\s:]+:|\[[0-9a-fA-F:]+\]:)?\d{1,5})$/, 'expected off, main, PORT or HOST:PORT')
    .optional(),
  /** `off`, `development` for everybody, or the role or scope of those who may see plans and timings. */
  WEFT_INSPECT: z
    .string()
    .regex(/^[!-~]{1,100}$/, 'expected off, development, or the name of a role or scope')
    .optional(),
  WEFT_EXPLORER: z.enum(['true', 'false']).optional(),
  /** Where spans go: OTLP over HTTP, as JSON; `/v1/traces` is appended. */
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url().optional(),
  /** The same for traces alone, and nothing is appended. */
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z.url().optional(),
  /** `key=value` with commas between them, percent-encoded. */
  OTEL_EXPORTER_OTLP_HEADERS: z.string().optional(),
  OTEL_SERVICE_NAME: z.string().min(1).default('weft-gateway'),
  OTEL_TRACES_SAMPLER: z.enum(SAMPLERS).default('parentbased_always_on'),
  /** Of the ratio samplers: between 0 and 1. */
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number().min(0).max(1).default(1),
};

type ObserveValues = z.infer<z.ZodObject<typeof OBSERVE_SHAPE>>;

export type SamplerName = (typeof SAMPLERS)[number];

export interface TraceSettings {
  /** The whole address that spans are posted to. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly sampler: SamplerName;
  readonly samplerRatio: number;
}

export type MetricsPlace = 'off' | 'main' | { readonly host: string | undefined; readonly port: number };

export interface ObserveSettings {
  readonly metrics: MetricsPlace;
  /** Who may look inside: nobody, everybody, or whoever has the role or scope. */
  readonly inspect: 'off' | 'everybody' | { readonly role: string };
  readonly isExplorerOn: boolean;
  /** Undefined: no spans are made. */
  readonly traces: TraceSettings | undefined;
}

/** For a gateway that is not told: nothing is shown to anybody. */
export const NOTHING_SHOWN: ObserveSettings = Object.freeze({
  metrics: 'off',
  inspect: 'off',
  isExplorerOn: false,
  traces: undefined,
});

/** @throws OperatorError when something is opened to everybody in production, or a port or header is none */
export function observeSettings(values: ObserveValues): ObserveSettings {
  const isProduction = values.NODE_ENV === 'production';
  const inspect = values.WEFT_INSPECT ?? (isProduction ? 'off' : 'development');
  if (isProduction && inspect === 'development')
    throw refused('WEFT_INSPECT', 'development shows plans to everybody: in production name a role or scope');
  const explorer = values.WEFT_EXPLORER ?? (isProduction ? 'false' : 'true');
  return Object.freeze({
    metrics: metricsPlace(values.WEFT_METRICS ?? (isProduction ? 'off' : 'main')),
    inspect: inspect === 'off' ? 'off' : inspect === 'development' ? 'everybody' : { role: inspect },
    isExplorerOn: explorer === 'true',
    traces: traceSettings(values),
  });
}

function metricsPlace(text: string): MetricsPlace {
  if (text === 'off' || text === 'main') return text;
  const at = text.lastIndexOf(':');
  const port = Number(text.slice(at + 1));
  if (port > 65_535) throw refused('WEFT_METRICS', 'expected a port from 0 to 65535');
  const host = at < 0 ? undefined : text.slice(0, at).replace(/^\[(.*)\]$/, '$1');
  return { host, port };
}

function traceSettings(values: ObserveValues): TraceSettings | undefined {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: base, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own } = values;
  const url = own ?? (base === undefined ? undefined : `${base.replace(/\/$/, '')}/v1/traces`);
  if (url === undefined) return undefined;
  return {
    url,
    headers: headersOf(values.OTEL_EXPORTER_OTLP_HEADERS ?? ''),
    serviceName: values.OTEL_SERVICE_NAME,
    sampler: values.OTEL_TRACES_SAMPLER,
    samplerRatio: values.OTEL_TRACES_SAMPLER_ARG,
  };
}

/** https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specifying-headers-via-environment-variables */
function headersOf(list: string): Readonly<Record<string, string>> {
  const pairs = list.split(',').filter((pair) => pair.trim() !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw refused('OTEL_EXPORTER_OTLP_HEADERS', 'expected key=value with commas between them');
      return [pair.slice(0, at).trim(), decoded(pair.slice(at + 1).trim())];
    }),
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (thrown) {
    throw refused('OTEL_EXPORTER_OTLP_HEADERS', 'a value is not percent-encoded', thrown);
  }
}

function refused(setting: string, why: string, cause?: unknown): OperatorError {
  return new OperatorError(`${setting}: ${why}`, { exitCode: 2, cause });
}

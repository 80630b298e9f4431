// The setting EVENT_LOG: which engine carries the events live.
import { z } from 'zod';

const EXPECTED =
  'expected postgres, redis://host:port, rediss://host:port, nats://host:port or tls://host:port';

/** `postgres`, or the URL of a server; where events are written is always PostgreSQL. */
export const EVENT_LOG_SHAPE = z
  .string()
  .refine(
    (text) => text === 'postgres' || (/^(rediss?|nats|tls):\/\/[^/]/.test(text) && URL.canParse(text)),
    EXPECTED,
  )
  .default('postgres');

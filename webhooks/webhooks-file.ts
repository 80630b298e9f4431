// The file of webhooks: who gets which live field, where, signed with which secrets; checked whole at the start.
import type { KeyObject } from 'node:crypto';
import { collectProblems } from '@weft/core/config';
import { HubError, OperatorError } from '@weft/core/errors';
import { readJson } from '@weft/core/read-json';
import type { Secrets } from '@weft/core/secrets';
import { z } from 'zod';
import type { AddressGuard } from './address-guard.ts';
import { WEBHOOK_LIMITS } from './limits.ts';
import { readSecret } from './secret.ts';
import { readSubscription, type WebhookSubscription } from './subscription.ts';

const whole = (min: number, max: number) => z.number().int().min(min).max(max);

const ENTRY = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'expected 1 to 63 of a-z 0-9 -, not - first'),
  url: z.url({ protocol: /^https?$/, error: 'expected an http or https URL' }),
  subscription: z.string().min(1),
  variables: z.record(z.string(), z.unknown()).default({}),
  /** Name of the secret with the API key as which it subscribes; absent: anonymous. */
  apiKey: z.string().min(1).optional(),
  /** Names of the secrets that sign. */
  secrets: z.array(z.string().min(1)).min(1).max(WEBHOOK_LIMITS.secretsMax),
  timeoutMs: whole(100, WEBHOOK_LIMITS.timeoutMsMax).default(WEBHOOK_LIMITS.timeoutMs),
  attemptsMax: whole(1, WEBHOOK_LIMITS.attemptsMaxMax).default(WEBHOOK_LIMITS.attemptsMax),
  retryDelayMsMin: whole(1, WEBHOOK_LIMITS.retryDelayMsMax).default(WEBHOOK_LIMITS.retryDelayMsMin),
  retryDelayMsMax: whole(1, WEBHOOK_LIMITS.retryDelayMsMax).default(WEBHOOK_LIMITS.retryDelayMsMax),
});

const FILE = z.strictObject({
  webhooks: z
    .array(ENTRY)
    .min(1, 'expected at least one webhook')
    .max(WEBHOOK_LIMITS.webhooksMax)
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'expected every name once'),
});

export interface Webhook {
  readonly name: string;
  readonly url: URL;
  readonly subscription: WebhookSubscription;
  readonly apiKey: string | undefined;
  readonly secrets: readonly KeyObject[];
  readonly timeoutMs: number;
  readonly attemptsMax: number;
  readonly retryDelayMsMin: number;
  readonly retryDelayMsMax: number;
}

const SETTING = 'WEFT_WEBHOOKS_FILE';

/** @throws OperatorError with everything that is wrong in the file, in one line */
export function readWebhooks(file: string, secrets: Secrets, guard: AddressGuard): readonly Webhook[] {
  const { webhooks } = readJson(SETTING, file, FILE);
  const problems = collectProblems();
  const read = webhooks.map((entry) => {
    const refuse = (what: string) =>
      new OperatorError(`${SETTING}: ${file}: ${entry.name}: ${what}`, { exitCode: 2 });
    const url = problems.attempt(() => readUrl(entry.url, guard, refuse));
    const subscription = problems.attempt(() => {
      const found = readSubscription(entry.subscription, entry.variables);
      if (typeof found === 'string') throw refuse(`subscription: ${found}`);
      return found;
    });
    const keys = problems.attempt(() => entry.secrets.map((name) => readSecret(name, secrets(name))));
    const apiKey = problems.attempt(() => (entry.apiKey === undefined ? undefined : secrets(entry.apiKey)));
    return url === undefined || subscription === undefined || keys === undefined
      ? undefined
      : { ...entry, url, subscription, secrets: keys, apiKey };
  });
  if (problems.found.length > 0) throw problems.toError();
  return read.filter((webhook) => webhook !== undefined);
}

function readUrl(text: string, guard: AddressGuard, refuse: (what: string) => OperatorError): URL {
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') throw refuse('url: expected no user and password in it');
  if (url.protocol !== 'https:' && !guard.isAllowed(url))
    throw refuse(`url: expected https, or a host that WEFT_WEBHOOKS_ALLOWED_HOSTS names, got ${url.origin}`);
  try {
    guard.requireHost(url);
  } catch (thrown) {
    throw refuse(`url: ${HubError.from(thrown).message}`);
  }
  return url;
}

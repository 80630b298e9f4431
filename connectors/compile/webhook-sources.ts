// Decodes the `webhook` of a `@source`.
import type { WebhookSource } from '../plan.ts';
import { readHeader } from './auth.ts';
import type { IssueList } from './build-issues.ts';
import type { Arguments } from './directive-arguments.ts';
import { readSecretName } from './secret-name.ts';

type Webhook = Pick<WebhookSource, 'path' | 'scheme' | 'verifySecret' | 'dedupeHeader'>;

/** Where deliveries come in, and how they are known to be genuine and new. */
export function readWebhook(given: Arguments, issues: IssueList): Webhook {
  const path = given.requiredText('path');
  if (!/^\/in\/[A-Za-z0-9/_-]+$/.test(path)) {
    issues.add(
      'BAD_VALUE',
      given.nodeOf('path'),
      `path is '${path}'`,
      'expected letters, digits, - and _ below "/in/"',
    );
  }
  const scheme = given.requiredText('scheme') as Webhook['scheme'];
  const verifySecret = readSecretName(given, 'verify', issues);
  const hasHeader = given.has('dedupeHeader');
  if (scheme === 'STANDARD_WEBHOOKS' && hasHeader) {
    const message = 'STANDARD_WEBHOOKS says by webhook-id which delivery it is';
    issues.add('WRONG_TOGETHER', given.nodeOf('dedupeHeader'), message, 'leave out dedupeHeader');
  }
  if (scheme !== 'STANDARD_WEBHOOKS' && !hasHeader) {
    const mend = 'name the header that says which delivery it is, or set scheme: STANDARD_WEBHOOKS';
    issues.add('MISSING_ARGUMENT', given.node, "webhook needs 'dedupeHeader'", mend);
  }
  const dedupeHeader = hasHeader ? readHeader(given, 'dedupeHeader', issues) : undefined;
  return { path, scheme, verifySecret, dedupeHeader };
}

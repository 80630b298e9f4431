// What is sent: a CloudEvent whose data is the GraphQL result, under an id that a result has whenever it is sent.
import { hash } from 'node:crypto';
import type { LiveResult } from './live-results.ts';
import type { Delivery } from './sign.ts';
import type { Webhook } from './webhooks-file.ts';

/** https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md */
export const CONTENT_TYPE = 'application/cloudevents+json; charset=utf-8';

/** Without `time`: the body of a result that is sent again after a restart should differ in nothing that did not change. */
export function toDelivery(
  { name, subscription }: Webhook,
  { cursor, result: { data, errors, extensions } }: LiveResult,
): Delivery {
  const id = `wh_${hash('sha256', `${name}\n${cursor}`, 'base64url')}`;
  const event = {
    specversion: '1.0',
    id,
    source: `/webhooks/${name}`,
    type: `dev.weft.webhook.${subscription.fieldName}`,
    datacontenttype: 'application/json',
    data: { data, errors, extensions },
  };
  return { id, body: JSON.stringify(event) };
}

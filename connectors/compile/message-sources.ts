// Decodes the sources that speak through a broker: MQTT and AMQP.
import type { AmqpSource, AuthPlan, MqttSource, TlsPlan } from '../plan.ts';
import { readTls } from './auth.ts';
import type { IssueList } from './build-issues.ts';
import type { Arguments } from './directive-arguments.ts';
import { type PlacedMapping, readTemplate } from './mapping-arguments.ts';

/** Addresses read the environment and nothing else: sources are opened before anyone asks. */
const ENVIRONMENT = { env: undefined };
/** A topic without wildcards: MQTT 5, 4.7. */
const TOPIC = /^[^+#/\0][^+#\0]*$/;

/** What `mqtt: {…}` says. */
export function readMqttSource(
  given: Arguments,
  address: Address,
  issues: IssueList,
): Omit<MqttSource, keyof Base | 'protocol'> {
  const clientId = readTemplate(given, 'clientId', ENVIRONMENT, issues);
  const replyTopic = given.requiredText('replyTopic').replace(/\/$/, '');
  if (!TOPIC.test(replyTopic)) {
    const mend = 'expected a topic without + and #, like "weft/reply"';
    issues.add('BAD_VALUE', given.nodeOf('replyTopic'), `replyTopic is '${replyTopic}'`, mend);
  }
  const version = given.text('version') === 'MQTT_311' ? '3.1.1' : '5';
  return { ...readBroker(given, address, issues), version, clientId: clientId?.mapping, replyTopic };
}

/** What `amqp: {…}` says. */
export function readAmqpSource(
  given: Arguments,
  address: Address,
  issues: IssueList,
): Omit<AmqpSource, keyof Base | 'protocol'> {
  return readBroker(given, address, issues);
}

/** Where the broker is, and how we log in, as all sources say it. */
export interface Address {
  readonly url: PlacedMapping;
  readonly auth: AuthPlan | undefined;
}

type Base = Pick<MqttSource, 'name' | 'guard' | 'timezone' | 'encoding' | 'readOnly'>;

interface Broker {
  readonly url: MqttSource['url'];
  readonly loginSecret: string | undefined;
  readonly tls: TlsPlan | undefined;
}

function readBroker(given: Arguments, { url, auth }: Address, issues: IssueList): Broker {
  const tls = readTls(given, issues);
  if (auth !== undefined && auth.kind !== 'basic') {
    const mend = 'give `basic`, the name of `user:password`, or a certificate in tls';
    issues.add('BAD_VALUE', given.nodeOf('auth'), `a broker knows no ${auth.kind}`, mend);
  }
  return { url: url.mapping, loginSecret: auth?.kind === 'basic' ? auth.secret : undefined, tls };
}

// Makes commands of what reporters are to be told by the systems that they came by and this host wraps, each once.
import type { StoreTransaction } from '@weft/core/sql-store';
import type { CloudEvent } from '@weft/events/envelope';
import type { LogEvent } from '@weft/events/event-log';
import { INCIDENT_NOTIFICATION_TOPIC } from '@weft/schema/incident-notification';
import { type Draft, storeCommand } from '../commands/accept.ts';
import type { SystemPlan } from '../plan.ts';
import { NOTIFY_PRINCIPAL, noticeDraft, readNotice } from './notice-draft.ts';
import { type Lane, type ReaderOptions, startTopicReader, type TopicReader } from './topic-reader.ts';

/** Reads the topic of notifications from the stored checkpoint until closed; not where no system tells reporters. */
export function startNotifier(plans: readonly SystemPlan[], options: ReaderOptions): TopicReader {
  const telling = plans.filter(({ notices = [] }) => notices.length > 0);
  if (telling.length === 0) return { close: async () => undefined };
  return startTopicReader(options, {
    topic: INCIDENT_NOTIFICATION_TOPIC,
    reader: 'notifier',
    concerns: ({ event }) => toldBy(telling, event).length > 0,
    apply: (transaction, event) => tell(telling, options, transaction, event),
    failed: 'reporters could not be told; tried again from the checkpoint',
    lost: 'what reporters are to be told is no longer retained: they are not told',
  });
}

/** The commands that tell of an event, by the systems whose numbers the report has. */
function toldBy(plans: readonly SystemPlan[], event: CloudEvent): readonly Draft[] {
  const notice = readNotice(event);
  if (notice === undefined) return [];
  return plans.flatMap((plan) =>
    (plan.notices ?? []).flatMap((how) =>
      how.on.has(notice.kind)
        ? notice.numbers
            .filter(({ kind }) => kind === how.numberKind)
            .map(({ number }) => noticeDraft(plan, how, notice, number))
        : [],
    ),
  );
}

async function tell(
  plans: readonly SystemPlan[],
  { appender, logger }: ReaderOptions,
  transaction: StoreTransaction,
  { event }: LogEvent,
): Promise<readonly Lane[]> {
  const drafts = toldBy(plans, event);
  for (const draft of drafts) {
    const stored = await storeCommand(transaction, appender, draft, false);
    if (stored?.command.principal !== NOTIFY_PRINCIPAL)
      logger.error(
        { system: draft.system, command: stored?.command.id, number: draft.subject },
        'a reporter is not told: somebody has written under the client number before',
      );
  }
  return drafts;
}

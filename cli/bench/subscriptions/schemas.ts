// The workload's SDL with its live field: answered from the event log, or by the subgraph's own subscription.
import { type FederationVersion, type SubgraphName, sdlOf } from '../workload/schemas.ts';

/** The topic of the event log that the live field reads. */
export const TOPIC = 'review';

/** Who answers the live field. */
export type LiveForm = 'event-log' | 'own-subscription';

/** The fields of the event, in both forms; a client's product and author are entity fetches to two subgraphs. */
const REVIEW_ADDED = 'id: ID  body: String  product: Product  author: User';

const EVENT_LOG = `
    extend schema @link(url: "https://specs.weft.dev/events/v0.1", import: ["@eventStream"])
    type Subscription {
      reviewAdded(division: ID, after: Cursor): ReviewAdded!
        @eventStream(
          topic: "${TOPIC}"
          message: "{ id body product { upc } author { id } }"
          where: "$.division->eq($args.division)"
        )
    }
    type ReviewAdded implements Resumable { cursor: Cursor!  gap: Gap  ${REVIEW_ADDED} }`;

/** Every event where no division is asked for, else those of that division. */
export function liveSdlOf(name: SubgraphName, version: FederationVersion, form: LiveForm): string {
  const sdl = sdlOf(name, version);
  if (name !== 'reviews') return sdl;
  if (form === 'event-log') return sdl + EVENT_LOG;
  const begin = version === 1 ? 'extend type' : 'type';
  return `${sdl}
    ${begin} Subscription { reviewAdded(division: ID): ReviewAdded }
    type ReviewAdded { ${REVIEW_ADDED} }`;
}

// The subscriptions of the clients: one for all, or one of its own for each group.

import { divisionOf } from './events.ts';
import type { LiveForm } from './schemas.ts';

/** `broadcast`: everybody has every event. `groups`: each event is of one group, which has its own argument and selection. */
export const SHAPES = ['broadcast', 'groups'] as const;
export type Shape = (typeof SHAPES)[number];

/** The payload of a client's `subscribe`. */
export interface SubscribePayload {
  readonly query: string;
  readonly variables?: Readonly<Record<string, string>>;
}

const SUBSETS = [1, 2, 3, 4, 5, 6, 7] as const;
const PRODUCT_FIELDS = ['name', 'price', 'weight'] as const;
const AUTHOR_FIELDS = ['name', 'username', 'birthday'] as const;

/** Different selections there are: subsets of the product's and the author's fields, with and without two more. */
export const GROUPS_MAX = SUBSETS.length * SUBSETS.length * 4;

/** One payload a group: client `i` sends that of group `i % length`. */
export function payloadsOf(shape: Shape, groups: number, form: LiveForm): readonly SubscribePayload[] {
  const cursor = form === 'event-log' ? 'cursor ' : '';
  if (shape === 'broadcast') {
    return [
      {
        query: `subscription OnReview { reviewAdded { ${cursor}id body product { upc name price } author { name } } }`,
      },
    ];
  }
  return Array.from({ length: groups }, (_, group) => ({
    query: `subscription OnReview($division: ID) { reviewAdded(division: $division) { ${cursor}${selectionOf(group)} } }`,
    variables: { division: divisionOf(group) },
  }));
}

/** The group's own; always one fetch for the product and one for the author. */
function selectionOf(group: number): string {
  const product = pick(PRODUCT_FIELDS, SUBSETS[group % SUBSETS.length] ?? 1);
  const author = pick(AUTHOR_FIELDS, SUBSETS[Math.floor(group / SUBSETS.length) % SUBSETS.length] ?? 1);
  const more = Math.floor(group / SUBSETS.length ** 2);
  const body = more % 2 === 0 ? 'body ' : '';
  const upc = more < 2 ? 'upc ' : '';
  return `id ${body}product { ${upc}${product} } author { ${author} }`;
}

function pick(fields: readonly string[], bits: number): string {
  return fields.filter((_, index) => (bits & (1 << index)) !== 0).join(' ');
}

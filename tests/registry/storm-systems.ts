// The systems of the storm: lamps that stay, notes on them that go half-way, and others that come, change and leave.
import type { Subgraph } from '@weft/schema/compose';
import { type SubgraphServer, startSubgraph } from '../gateway/subgraph-server.ts';
import type { Ask } from '../rolling/load.ts';

const HEAD = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])\n';
const LAMP = 'type Lamp @key(fields: "id") { id: ID! street: String colour: String }';
const LAMPS = `${HEAD}extend schema @link(url: "https://specs.weft.dev/events/v0.1", import: ["@eventStream"])
type Query { lamp(id: ID!): Lamp }
type Subscription {
  lampChanged(street: ID, after: Cursor): LampChanged!
    @eventStream(topic: "lamp", message: "{ lamp { id } }", where: "$.street->eq($args.street)")
}
type LampChanged implements Resumable { cursor: Cursor! gap: Gap lamp: Lamp }
${LAMP}`;
const NOTES = `${HEAD}type Lamp @key(fields: "id") { id: ID! note: String }`;

/** Every twentieth subscription asks for what the notes bring. */
const NOTE_EVERY = 20;
const SELECTIONS = ['id street', 'id colour', 'id street colour', 'street id', 'colour id street'];

export const STREET = 'main street';

export interface StormSystems {
  /** At the publication of this number; below 0: before the first one. */
  at(publication: number): readonly Subgraph[];
  /** The root field that comes with it; undefined: one goes. */
  fieldOf(publication: number): string | undefined;
  /** The root field that goes with it. */
  goneWith(publication: number): string | undefined;
  close(): Promise<void>;
}

/** Of three publications one registers a system, the next gives it another field, and the third removes it. */
export async function startStormSystems(publications: number): Promise<StormSystems> {
  const __resolveReference = (lamp: { id: string }) => lamp;
  const Lamp = {
    __resolveReference,
    street: () => STREET,
    colour: () => 'red',
  };
  const lamps = await startSubgraph(
    'lamps',
    LAMPS,
    { Query: { lamp: (_: unknown, { id }: { id: string }) => ({ id }) }, Lamp },
    `${HEAD}type Query { lamp(id: ID!): Lamp } ${LAMP}`,
  );
  const notes = await startSubgraph('notes', NOTES, { Lamp: { __resolveReference, note: () => 'noted' } });
  const fields = Array.from({ length: Math.max(1, publications) }, (_, n) => `extra${n}: String`);
  const extras = await startSubgraph('extras', `${HEAD}type Query { ${fields.join(' ')} }`, {});
  const extraAt = (publication: number): readonly Subgraph[] => {
    const step = publication % 3;
    if (publication < 0 || step === 2) return [];
    const first = publication - step;
    const own = step === 0 ? [first] : [first, publication];
    const sdl = `${HEAD}type Query { ${own.map((n) => `extra${n}: String`).join(' ')} }`;
    return [{ name: `extra${first}`, url: extras.url, sdl }];
  };
  const members: readonly SubgraphServer[] = [lamps, notes, extras];
  const isNoted = (publication: number) => publication < Math.floor(publications / 2);
  return {
    at: (publication) => [lamps, ...(isNoted(publication) ? [notes] : []), ...extraAt(publication)],
    fieldOf: (publication) => (publication % 3 === 2 ? undefined : `extra${publication}`),
    goneWith: (publication) => (publication % 3 === 2 ? `extra${publication - 1}` : undefined),
    async close() {
      await Promise.all(members.map((member) => member.close()));
    },
  };
}

/** Whether the operation of a subscriber loses a field when the notes go. */
export function asksForNotes(query: string): boolean {
  return query.includes('note');
}

export function subscriptionOf(n: number): string {
  const selection = n % NOTE_EVERY === 0 ? 'id note' : SELECTIONS[n % SELECTIONS.length];
  return `subscription Watch${n % SELECTIONS.length} { lampChanged(street: "${STREET}") { lamp { ${selection} } } }`;
}

/** The number of the lamp in what a subscriber was sent. */
export function lampOf(data: unknown): number {
  const { lampChanged } = (data ?? {}) as {
    readonly lampChanged?: { readonly lamp?: { readonly id: string } };
  };
  return Number(lampChanged?.lamp?.id);
}

/** Most are known to the gateway; one in 200 has to be planned. */
export function askOf(count: number): Ask {
  const alias = count % 200 === 0 ? `lamp${count}` : 'lamp';
  const query = `{ ${alias}: lamp(id: "7") { id street colour } }`;
  const lamp = { id: '7', street: STREET, colour: 'red' };
  return { query, expected: JSON.stringify({ data: { [alias]: lamp } }) };
}

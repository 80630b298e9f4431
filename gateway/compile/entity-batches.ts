// Gathers entity requests of events that arrive together: equal but for their representations, they go as one.
import { HubError } from '@weft/core/errors';
import type { FetchContext } from '../fetch/request.ts';
import type { SubgraphClient, UpstreamAnswer, UpstreamError } from '../fetch/subgraph-client.ts';
import type { Told } from '../fetch/told.ts';

/** One `_entities` call of a request. */
export interface EntityList {
  /** The variable that holds the representations. */
  readonly variable: string;
  /** The response name of `_entities`. */
  readonly alias: string;
  /** Representations as JSON, each once. */
  readonly texts: readonly string[];
}

export interface EntityRequest {
  readonly system: string;
  /** The request's JSON up to the first variable. */
  readonly bodyStart: string;
  /** All variables but the representations, as members of a JSON object. */
  readonly variables: string;
  readonly lists: readonly EntityList[];
  readonly context: FetchContext;
}

export interface EntityBatches {
  /** As `SubgraphClient.send` of the request alone, numbers of entities and paths of errors included. */
  send(request: EntityRequest): Promise<UpstreamAnswer>;
}

export interface BatchLimits {
  /** Representations of one request that is gathered. */
  readonly batchEntitiesMax: number;
}

interface Waiting {
  readonly request: EntityRequest;
  readonly answer: PromiseWithResolvers<UpstreamAnswer>;
}

interface Batch {
  readonly waiting: Waiting[];
  entities: number;
}

/** Not of one operation: who shares a request may leave, and the others stay. Each request ends by its deadline. */
const NEVER = new AbortController().signal;

export function createEntityBatches(client: SubgraphClient, limits: BatchLimits): EntityBatches {
  let gathering = new Map<string, Batch>();
  const sendAll = () => {
    const batches = gathering;
    gathering = new Map();
    for (const { waiting } of batches.values()) void sendBatch(client, waiting);
  };
  return {
    send(request) {
      const { system, bodyStart, variables, context, lists } = request;
      const key = JSON.stringify([system, bodyStart, variables, context.authority, context.headers]);
      const entities = lists.reduce((sum, { texts }) => sum + texts.length, 0);
      const known = gathering.get(key);
      const batch =
        known === undefined || known.entities + entities > limits.batchEntitiesMax
          ? { waiting: [], entities: 0 }
          : known;
      // After all that this turn of the loop brings: events of one batch, runs that waited for one answer.
      if (gathering.size === 0) setImmediate(sendAll);
      if (known !== undefined && batch !== known) gathering.set(`${key} ${gathering.size}`, known);
      gathering.set(key, batch);
      const answer = Promise.withResolvers<UpstreamAnswer>();
      batch.waiting.push({ request, answer });
      batch.entities += entities;
      return answer.promise;
    },
  };
}

/** The request's JSON. */
export function bodyOf({ bodyStart, variables }: EntityRequest, lists: readonly EntityList[]): string {
  const texts = lists.map(({ variable, texts }) => `"${variable}":[${texts.join(',')}]`).join(',');
  return `${bodyStart}${variables}${variables === '' ? '' : ','}${texts}}}`;
}

async function sendBatch(client: SubgraphClient, waiting: readonly Waiting[]): Promise<void> {
  const [first, second] = waiting;
  if (first === undefined) return;
  if (second === undefined) return settle(first, sendAlone(client, first.request));
  const { system } = first.request;
  const deadlineAtMs = Math.max(...waiting.map(({ request }) => request.context.deadlineAtMs));
  const context = { ...first.request.context, signal: NEVER, deadlineAtMs };
  const joined = joinLists(waiting);
  try {
    const body = bodyOf(first.request, joined.lists);
    const answer = await client.send({ system, body, isMutation: false, context });
    if (answer.data === null) {
      // One's failure took the others' answers with it: each is asked alone.
      for (const each of waiting) settle(each, sendAlone(client, each.request));
      return;
    }
    const taken = joined.lists.map(({ texts }) => new Uint8Array(texts.length));
    for (const [index, each] of waiting.entries())
      each.answer.resolve(answerOf(each.request, joined.numbers[index] ?? [], answer, taken));
  } catch (thrown) {
    const error = HubError.from(thrown, { system });
    for (const { answer } of waiting) answer.reject(error);
  }
}

function settle({ answer }: Waiting, sent: Promise<UpstreamAnswer>): void {
  sent.then(answer.resolve, answer.reject);
}

function sendAlone(client: SubgraphClient, request: EntityRequest): Promise<UpstreamAnswer> {
  const { system, context, lists } = request;
  return client.send({ system, body: bodyOf(request, lists), isMutation: false, context });
}

/** By list: where each of a request's representations stands in the list of all. */
type Numbers = readonly (readonly number[])[];

function joinLists(waiting: readonly Waiting[]): {
  readonly lists: readonly EntityList[];
  readonly numbers: readonly Numbers[];
} {
  const places = (waiting[0]?.request.lists ?? []).map(() => new Map<string, number>());
  const numbers = waiting.map(({ request }) =>
    request.lists.map(({ texts }, list) => {
      const byText = places[list] ?? new Map<string, number>();
      return texts.map((text) => byText.getOrInsert(text, byText.size));
    }),
  );
  const lists = (waiting[0]?.request.lists ?? []).map(({ variable, alias }, index) => ({
    variable,
    alias,
    texts: [...(places[index]?.keys() ?? [])],
  }));
  return { lists, numbers };
}

/** @param taken by list, which entities somebody has: the engine writes into what it is given, so each gets their own */
function answerOf(
  { lists }: EntityRequest,
  numbers: Numbers,
  { data, errors, told }: UpstreamAnswer,
  taken: readonly Uint8Array[],
): UpstreamAnswer {
  const own: Record<string, unknown> = {};
  for (const [index, { alias }] of lists.entries()) {
    const entities: unknown = data === null || !Object.hasOwn(data, alias) ? undefined : data[alias];
    const isTaken = taken[index];
    if (!Array.isArray(entities) || entities.length !== isTaken?.length) {
      own[alias] = entities;
      continue;
    }
    own[alias] = (numbers[index] ?? []).map((number) => {
      const entity: unknown = entities[number];
      if (isTaken[number] === 1) return structuredClone(entity);
      isTaken[number] = 1;
      return entity;
    });
  }
  const answer = {
    data: own,
    errors: errors.length === 0 ? errors : errors.flatMap((error) => ownErrors(lists, numbers, error)),
  };
  return told === undefined ? answer : { ...answer, told: ownTold(lists, numbers, told) };
}

/** What is told of another's entity is told to that other. */
function ownTold(lists: readonly EntityList[], numbers: Numbers, told: Told): Told {
  const parts = told.parts.flatMap(({ path, entry }) => {
    const own = ownPath(lists, numbers, path);
    return own === undefined ? [] : [{ path: own, entry }];
  });
  return { ...told, parts };
}

/** A path that leads to an entity, with the number that it has in the request alone; undefined for another's. */
function ownPath(
  lists: readonly EntityList[],
  numbers: Numbers,
  [alias, number, ...below]: readonly (string | number)[],
): readonly (string | number)[] | undefined {
  const list = lists.findIndex((each) => each.alias === alias);
  const index = typeof number === 'number' ? (numbers[list]?.indexOf(number) ?? -1) : -1;
  return index < 0 || alias === undefined ? undefined : [alias, index, ...below];
}

/** An error of another's entity is not told; one without a place is told to all. */
function ownErrors(
  lists: readonly EntityList[],
  numbers: Numbers,
  upstream: UpstreamError,
): readonly UpstreamError[] {
  const [alias, number, ...below] = upstream.path ?? [];
  const list = lists.findIndex((each) => each.alias === alias);
  if (list < 0 || typeof number !== 'number') return [upstream];
  const index = numbers[list]?.indexOf(number) ?? -1;
  if (index < 0 || alias === undefined) return [];
  return [{ error: upstream.error, path: [alias, index, ...below] }];
}

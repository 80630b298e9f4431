// Finds what an answer is about within the envelope that old systems put around it.

import type { Answer, ContractType } from './contract-model.ts';
import { namedOf } from './cut.ts';

/** Fields that say how the call went, not what was asked for. */
const ENVELOPE =
  /^(?:(?:ret|return|result|resp|response|err|error|status|biz|sub)?_?(?:code|msg|message|status|desc|description|info|flag|no|num)|success|ok|total(?:_?(?:count|num|pages?|elements|records))?|counts?|page(?:_?(?:no|num|size|index|count))?|pages|size|limit|offset|skip|current|records_?total|timestamp|time|version|(?:request|trace|message)_?id|next|previous|error|errors|links?|meta|metadata|pagination|has_?(?:more|next)(?:_?items)?)$/i;
/** Whether a field of this name says how a call went, or where the rest is. */
export function isEnvelope(name: string): boolean {
  return ENVELOPE.test(name);
}

const STEPS_MAX = 4;

export interface UnwrappedAnswer {
  readonly answer: Answer;
  /** Names of the envelope's fields that are not drafted. */
  readonly passedOver: readonly string[];
}

/** Steps into an object of which one field holds objects and all others are envelope; a lone field is stepped into too. */
export function unwrapAnswer(answer: Answer, types: ReadonlyMap<string, ContractType>): UnwrappedAnswer {
  const passedOver: string[] = [];
  let current = answer;
  for (let step = 0; step < STEPS_MAX && !current.isList; step += 1) {
    const type = current.shape.kind === 'named' ? types.get(current.shape.id) : undefined;
    if (type?.kind !== 'object') break;
    const isObject = (id: string | undefined) => id !== undefined && types.get(id)?.kind === 'object';
    const payloads = type.members.filter(
      ({ name, shape }) => isObject(namedOf(shape)) && !ENVELOPE.test(name),
    );
    const [payload, ...more] = payloads;
    if (payload === undefined || more.length > 0) break;
    const others = type.members.filter((member) => member !== payload);
    if (!others.every(({ name }) => ENVELOPE.test(name))) break;
    const { shape } = payload;
    if (shape.kind === 'list' && shape.of.kind === 'list') break;
    passedOver.push(...others.map(({ name }) => name));
    current = {
      path: [...current.path, ...(payload.path ?? [payload.name])],
      isList: shape.kind === 'list',
      isLoose: shape.kind === 'list' && shape.isLoose === true,
      shape: shape.kind === 'list' ? shape.of : shape,
    };
  }
  return { answer: current, passedOver };
}

/** What a person should look at in the envelope that was passed over. */
export function envelopeCheck(passedOver: readonly string[]): string | undefined {
  if (passedOver.length === 0) return undefined;
  const verb = passedOver.length === 1 ? 'is' : 'are';
  return `check: the answer's ${passedOver.join(', ')} ${verb} not looked at: if that says that the call failed, add failWhen`;
}

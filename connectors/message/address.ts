// Topics and routing keys: what may be put into them, and what a topic pattern takes out of one.
import { HubError } from '@weft/core/errors';
import type { Mapping, MappingScope } from '@weft/schema/mapping/compile';
import type { CallContext } from '../upstream-error.ts';

const SEGMENT = /^[A-Za-z0-9_-]{1,200}$/;
const NAMED = /^\{([A-Za-z_][A-Za-z0-9_]*)\}$/;

/**
 * A value that stands for one level of a topic or one word of a routing key, as it is.
 * @throws HubError BAD_USER_INPUT for whatever could reach another topic: wildcards, separators, the empty text
 */
export function escapeSegment(value: string): string {
  if (SEGMENT.test(value)) return value;
  throw new HubError(
    'BAD_USER_INPUT',
    'a value in the address of a message has other characters than letters, digits, _ and -',
    {
      details: { reason: 'ADDRESS_REFUSED' },
      hadNoEffect: true,
    },
  );
}

/**
 * The text of a topic, a routing key or an exchange.
 * @throws HubError BAD_USER_INPUT when a placeholder is null or not allowed: half an address is never called
 */
export function fillAddress(template: Mapping, scope: MappingScope, context: CallContext): string {
  const text = template.evaluate(scope);
  if (typeof text === 'string') return text;
  throw new HubError('BAD_USER_INPUT', `a value in the address ${template.text} is missing`, {
    details: { reason: 'ADDRESS_REFUSED', source: context.source, operation: context.operation },
    hadNoEffect: true,
  });
}

/** One level of a topic pattern. */
export type Level =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'wrong'; readonly text: string };

/** The levels of `city/{deviceId}/up`; `wrong` are wildcards, half placeholders and the empty level. */
export function levelsOf(pattern: string): readonly Level[] {
  return pattern.split('/').map((text): Level => {
    const name = NAMED.exec(text)?.[1];
    if (name !== undefined) return { kind: 'name', name };
    return text === '' || /[+#{}\0]/.test(text) ? { kind: 'wrong', text } : { kind: 'text', text };
  });
}

/** The topic filter of a pattern: `city/+/up`. */
export function filterOf(pattern: string): string {
  return levelsOf(pattern)
    .map((level) => (level.kind === 'text' ? level.text : '+'))
    .join('/');
}

/** The named levels of a topic; undefined when the topic does not fit the pattern. */
export function matchTopic(pattern: string, topic: string): Readonly<Record<string, string>> | undefined {
  const levels = levelsOf(pattern);
  const texts = topic.split('/');
  if (texts.length !== levels.length) return undefined;
  const named: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [index, level] of levels.entries()) {
    const text = texts[index] ?? '';
    if (level.kind === 'name') named[level.name] = text;
    else if (level.text !== text) return undefined;
  }
  return named;
}

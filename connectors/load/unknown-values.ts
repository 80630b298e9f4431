// What an old system says and its description does not know: told once, not with every answer.
import type { Logger } from '@weft/core/logger';
import type { CallContext } from '../upstream-error.ts';

/** Values of a system that are told as warnings; the values themselves, further ones, and those that come again, at the level debug. */
const TOLD_MAX = 200;
const VALUE_CHARS_MAX = 100;

/** @returns takes a value that no table has, or that cannot be read as what it is to be */
export function createUnknownValues(logger: Logger): (context: CallContext, value: string) => void {
  const told = new Set<string>();
  return (context, text) => {
    const value = text.slice(0, VALUE_CHARS_MAX);
    const key = `${context.source}\n${context.operation}\n${value}`;
    const isNew = !told.has(key) && told.size < TOLD_MAX;
    if (isNew) told.add(key);
    // The value itself may be personal: whoever wants it asks for that level.
    if (isNew)
      logger.warn(
        { ...context, chars: text.length },
        'a value is not known to the description: its field is null, and the value in the log at debug',
      );
    logger.debug({ ...context, value }, 'a value is not known to the description');
  };
}

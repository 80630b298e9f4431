// What a client is told of its own mistake: short, whatever it sent, and without names that it may not know.

/** Characters of a message; a client that sends a megabyte where a number belongs is not sent it back. */
const MESSAGE_CHARS_MAX = 500;

/** As graphql-js writes it: the names are in quotes and have no question mark. */
const SUGGESTION = / Did you mean [^?]*\?/g;

/** @param suggests whether names of the schema that are like the wrong one may be told */
export function clientMessage(message: string, suggests: boolean): string {
  const told = suggests ? message : message.replaceAll(SUGGESTION, '');
  return told.length <= MESSAGE_CHARS_MAX ? told : `${told.slice(0, MESSAGE_CHARS_MAX - 1)}…`;
}

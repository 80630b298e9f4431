// Tells words that a subgraph meant for its own makers from those for a client: what is shown must not say how a system is built.

/** Each finds one kind of thing that no client should read. In doubt a text is hidden: who operates finds it in the log. */
const INTERNALS: readonly RegExp[] = [
  // A stack, of JavaScript, Python or the JVM.
  /\n\s*at\s|\bat\s\S+\s?\([^)]*:\d+|Traceback \(most recent|\bnode_modules\b|\.(?:[cm]?[jt]s|py|java|go|rb):\d+/,
  // An address: a URL, an IP address, a host with a port.
  /\b[a-z][a-z0-9+.-]{1,30}:\/\//i,
  /\b(?:\d{1,3}\.){3}\d{1,3}\b/,
  /(?<![\w:])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){3,7}(?![\w:])/i,
  /\b(?:localhost|[a-z0-9-]+(?:\.[a-z0-9-]+)+):\d{2,5}\b/i,
  // The network's own words, where more follows: the name alone is a reason that may be told.
  /\b(?:ECONN[A-Z]+|ENOTFOUND|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPIPE|EAI_AGAIN)\s+\S/,
  // SQL, and what databases say of it.
  /\bSELECT\s.+\sFROM\s|\bINSERT\s+INTO\s|\bUPDATE\s.+\sSET\s|\bDELETE\s+FROM\s|\b(?:CREATE|ALTER|DROP)\s+TABLE\b/s,
  /\bselect\s+\*\s+from\s|\bselect\s.+\sfrom\s.+\swhere\s|\binsert\s+into\s.+\svalues\b/is,
  /\bSQLSTATE\b|\bORA-\d{4}|syntax error at or near|\b(?:relation|column|table)\s["'`].*\bdoes not exist|duplicate key value/i,
  // A file.
  /(?:^|[\s"'`(=])(?:\/(?:usr|home|var|opt|etc|app|srv|root|tmp|mnt|proc|run|data)\/|[A-Za-z]:\\)/,
  // A body that is no sentence, and a secret with its name.
  /<(?:!doctype|html|head|body|\?xml|soap)/i,
  /\b(?:password|passwd|secret|api[_-]?key|authorization)\s*[=:]|\bBearer\s+\S{8,}/i,
];

/** Whether a text, bounded by its caller, holds any of these. */
export function isInternal(text: string): boolean {
  return INTERNALS.some((pattern) => pattern.test(text));
}

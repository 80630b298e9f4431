// Tells from its name whether an operation only reads.

/** First words of names that only ask. */
const READING =
  /^(?:get|query|qry|find|search|list|read|fetch|select|lookup|look|retrieve|describe|show|load|browse|view|count|is|has|exists|check|check|validate|verify|enum|enumerate|ping|cha|chaxun|huoqu|status|download)(?![a-z])/;
/** First words of names that change something. */
const WRITING =
  /^(?:set|add|create|update|upd|delete|del|remove|insert|put|post|save|send|submit|cancel|register|approve|modify|change|import|upload|start|stop|reset|execute|exec|run|do|login|logout|book|order|pay|assign|close|open|accept|reject|confirm|notify|push|sync|write|edit|apply|revoke|lock|unlock|enable|disable|batch|process|xinzeng|xiugai|shanchu|tijiao|baocun)(?![a-z])/;

/** @param name a GraphQL field name; undefined when it says neither */
export function readsByName(name: string): boolean | undefined {
  const spaced = name.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase();
  if (READING.test(spaced)) return true;
  return WRITING.test(spaced) ? false : undefined;
}

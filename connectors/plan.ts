// What the directives of a wrapped system compile to: everything the runtime needs, and no SDL.
import type { Mapping } from '@weft/schema/mapping/compile';

/** One wrapped system: one folder under subgraphs/. */
export interface SystemPlan {
  /** The folder's name; the system's name in errors, in the registry and in `extensions.system`. */
  readonly name: string;
  /** Its name for people, from the first source that gives one. */
  readonly title: string;
  /** For composition: no connector directives, `@changes` turned into `@eventStream`, common definitions added. */
  readonly storedSdl: string;
  /** For `@apollo/subgraph`: `storedSdl` without Subscription, its return types and `@eventStream`. */
  readonly servedSdl: string;
  readonly sources: ReadonlyMap<string, SourcePlan>;
  /** Loaders by the name of the entity type. */
  readonly entities: ReadonlyMap<string, EntityPlan>;
  /** By `Type.field`. */
  readonly fields: ReadonlyMap<string, FieldPlan>;
  readonly ingests: readonly IngestPlan[];
  /** Which departments it is the system of; no department twice. */
  readonly dispatches?: readonly DispatchPlan[];
  /** How it is asked how much work of its own is open; undefined: it is not. */
  readonly openWork?: OpenWorkPlan | undefined;
  /** How reporters who came by it are told of steps. */
  readonly notices?: readonly NoticePlan[];
  /** Names of the secrets that it needs, each once. */
  readonly secrets?: readonly string[];
}

/** How a system is asked how much work of its own is open: docs/connectors.md, "A system's own count". */
export interface OpenWorkPlan {
  /** `Query.<field>` in `fields`: a call that yields `open` and is kept for all. */
  readonly field: string;
  /** Whether it takes a division; else it counts all that the system has. */
  readonly byDivision: boolean;
}

/** How the reporters of a system are told by it: docs/connectors.md, "Reporters". */
export interface NoticePlan {
  /** Of which steps. */
  readonly on: ReadonlySet<string>;
  /** The kind of external number that a report of this system comes with. */
  readonly numberKind: string;
  /** The field of Mutation: a write whose client number is `$args.requestId`, and whose subject is `$args.number`. */
  readonly field: string;
  /** Names of the field's arguments; a telling gives those of NOTIFY_ARGUMENTS in @weft/schema/incident-notification. */
  readonly arguments: readonly string[];
}

/** How an incident that is routed to a department reaches this system: docs/connectors.md, "Dispatch". */
export interface DispatchPlan {
  /** Its code in the directory. */
  readonly department: string;
  /** Under which kind of external number the system's own number is kept. */
  readonly numberKind: string;
  /** The field of Mutation: a write whose client number is `$args.requestId`. */
  readonly field: string;
  /** Names of the field's arguments; a dispatch gives those of DISPATCH_ARGUMENTS in @weft/schema/incident-dispatch. */
  readonly arguments: readonly string[];
}

export type SourcePlan =
  | RestSource
  | SoapSource
  | SqlSource
  | WebhookSource
  | MqttSource
  | AmqpSource
  | FilesSource;

interface SourceBase {
  readonly name: string;
  readonly guard: GuardPlan;
  /** IANA zone for timestamps without an offset. */
  readonly timezone: string;
  /** Charset of what is sent and received, as iconv-lite names it. */
  readonly encoding: string;
  readonly readOnly: boolean;
}

export interface RestSource extends SourceBase {
  readonly protocol: 'rest';
  readonly baseUrl: Mapping;
  /** Absolute path of the OpenAPI document in the system's folder, and where its live copy is: what drift compares. */
  readonly openapiFile?: string | undefined;
  readonly openapiUrl?: string | undefined;
  /** What answers and bodies are. */
  readonly format: 'JSON' | 'XML';
  readonly auth: AuthPlan | undefined;
  readonly tls: TlsPlan | undefined;
}

export interface SoapSource extends SourceBase {
  readonly protocol: 'soap';
  /** Absolute path of the WSDL in the system's folder. */
  readonly wsdlFile: string;
  readonly endpoint: Mapping;
  /** Undefined: that of the WSDL's binding. */
  readonly version: SoapVersion | undefined;
  /** Absolute path of the folder in which imported schemas are looked for before all others. */
  readonly offlineSchemas: string | undefined;
  readonly auth: AuthPlan | undefined;
  readonly security: WsSecurityPlan | undefined;
  readonly tls: TlsPlan | undefined;
}

export type SoapVersion = 'SOAP_11' | 'SOAP_12';

/** WS-Security UsernameToken; `usernameToken` is the name of a secret `user:password`. */
export interface WsSecurityPlan {
  readonly usernameToken: string;
  readonly digest: boolean;
  readonly timestamp: boolean;
}

export interface SqlSource extends SourceBase {
  readonly protocol: 'sql';
  /** A URL whose scheme names the dialect: postgres:, mysql:, mariadb:, sqlite: (`sqlite:///path/to/file`). */
  readonly url: Mapping;
  /** Absolute path of the tables as they were, for drift. */
  readonly tablesFile?: string | undefined;
}

export interface WebhookSource extends SourceBase {
  readonly protocol: 'webhook';
  /** Path on the webhook receiver, beginning with `/in/`. */
  readonly path: string;
  readonly scheme: 'TIMESTAMP_BODY' | 'STANDARD_WEBHOOKS';
  /** Name of the secret that signs. */
  readonly verifySecret: string;
  /** Undefined for STANDARD_WEBHOOKS, whose id is signed. */
  readonly dedupeHeader: string | undefined;
}

/** A folder, here or behind SFTP, into which an old system writes files. They are read and never touched. */
export interface FilesSource extends SourceBase {
  readonly protocol: 'files';
  /** `file:///folder` or `sftp://host:port/folder`. */
  readonly url: Mapping;
  /** Name of the secret `user:password` of SFTP. */
  readonly loginSecret: string | undefined;
  /** Name of the secret with the private key of SFTP; the login's password then opens the key. */
  readonly privateKeySecret: string | undefined;
  /** The server's key as `SHA256:…`, the only one that is accepted. */
  readonly hostKey: Mapping | undefined;
  readonly doneWhen: DoneWhen;
  readonly limits: FileLimits;
}

/** When a file is complete: either is enough. */
export interface DoneWhen {
  /** Its size and time of change have not changed for this long. */
  readonly stableForMs: number | undefined;
  /** A file of its name with this behind it lies beside it. */
  readonly markerSuffix: string | undefined;
}

export interface FileLimits {
  readonly fileBytesMax: number;
  readonly rowBytesMax: number;
  readonly columnsMax: number;
  readonly rowsMax: number;
  /** Files that are taken in one look; the others wait for the next. */
  readonly filesMax: number;
}

/** An MQTT broker of the old system. */
export interface MqttSource extends SourceBase {
  readonly protocol: 'mqtt';
  /** `mqtt:` or `mqtts:`. */
  readonly url: Mapping;
  readonly version: '3.1.1' | '5';
  /** Who we are to the broker, which keeps our session by it; undefined: made of system, source and this machine's name. */
  readonly clientId: Mapping | undefined;
  /** The topic under which answers to our calls are awaited. */
  readonly replyTopic: string;
  /** Name of the secret `user:password`. */
  readonly loginSecret: string | undefined;
  readonly tls: TlsPlan | undefined;
}

/** An AMQP 0-9-1 broker of the old system. */
export interface AmqpSource extends SourceBase {
  readonly protocol: 'amqp';
  /** `amqp:` or `amqps:`; the path is the virtual host. */
  readonly url: Mapping;
  /** Name of the secret `user:password`. */
  readonly loginSecret: string | undefined;
  readonly tls: TlsPlan | undefined;
}

/** Values are names in the secret store. */
export type AuthPlan =
  | { readonly kind: 'apiKey'; readonly header: string; readonly secret: string }
  | { readonly kind: 'bearer'; readonly secret: string }
  | { readonly kind: 'basic'; readonly secret: string }
  | OAuth2Plan
  | HmacPlan;

/** OAuth 2.0 client credentials; `client` is the name of a secret `id:secret`. */
export interface OAuth2Plan {
  readonly kind: 'oauth2';
  readonly tokenUrl: Mapping;
  readonly client: string;
  readonly scope: string | undefined;
  readonly clientAuth: 'BASIC' | 'POST';
}

/** Requests signed with a shared key: `secret` and `keyId` are names of secrets, headers are in lower case. */
export interface HmacPlan {
  readonly kind: 'hmac';
  readonly secret: string;
  readonly keyId: string | undefined;
  readonly algorithm: 'SHA256' | 'SM3';
  readonly encoding: 'HEX' | 'BASE64';
  /** Text with `{method}` and the like: CANONICAL_PARTS of connectors/http/hmac.ts. */
  readonly canonical: string;
  readonly signatureFormat: string;
  readonly signatureHeader: string;
  readonly timestampHeader: string;
  readonly timestampFormat: 'SECONDS' | 'MILLISECONDS' | 'ISO';
  readonly nonceHeader: string;
  readonly keyIdHeader: string;
}

/** Names of secrets that hold PEM. */
export interface TlsPlan {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

export interface GuardPlan {
  readonly timeoutMs: number;
  /** Calls at once; the rest waits in a queue of bounded length. */
  readonly concurrency: number;
  /** Of reads only. */
  readonly retries: number;
  readonly breaker: { readonly failureRatio: number; readonly minCalls: number; readonly openForMs: number };
  readonly responseBytesMax: number;
  /** Tries in a second, in the long run; in any one second no more than `perSecond + burst`. Undefined: as many as `concurrency` lets through. */
  readonly rate?: { readonly perSecond: number; readonly burst: number } | undefined;
  /** When the source is not asked at all, by the clock of its time zone. */
  readonly quiet?: readonly QuietWindow[] | undefined;
}

/** Minutes of the day: from the first up to, and without, the last; over midnight when the last is the smaller. */
export interface QuietWindow {
  readonly fromMinute: number;
  readonly toMinute: number;
  /** As the SDL has it: `02:00-03:00`. */
  readonly text: string;
}

/** How old a datum may be. */
export interface FreshnessPlan {
  /** An answer younger than this is given again. */
  readonly maxAgeMs: number;
  /** One that is no older than this is given when the source cannot be asked; 0: none. */
  readonly staleIfErrorMs: number;
  /** PER_USER: one user's answer is no other's. */
  readonly scope: 'PER_USER' | 'SHARED';
  /** Of the folder's SDL: what an earlier description of the system yielded is not taken for this one's. */
  readonly sdlHash: string;
}

/** A mapping scope holds `$` (the answer), `$args`, `$this`, `$batch`, `$env`: see schema/mapping. */
export type CallPlan = HttpCall | SoapCall | SqlCall | StoreCall | MqttCall | AmqpCall;

export interface HttpCall {
  readonly protocol: 'rest';
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path below the source's base URL; placeholders are percent-encoded. */
  readonly path: Mapping;
  /** Object of parameter to value; a null value leaves the parameter out. */
  readonly query: Mapping | undefined;
  readonly body: Mapping | undefined;
}

export interface SoapCall {
  readonly protocol: 'soap';
  readonly operation: string;
  readonly input: Mapping | undefined;
  /** Elements of the input whose base64 text travels as an attachment (MTOM). */
  readonly attach: readonly string[];
}

export interface SqlCall {
  readonly protocol: 'sql';
  readonly table: string;
  readonly columns: readonly string[];
  /** Object of column to value: a list means IN, null means IS NULL. Always bound, never concatenated. */
  readonly where: Mapping | undefined;
  readonly orderBy: readonly { readonly column: string; readonly descending: boolean }[];
  readonly limit: number | undefined;
  /** For `many` batches: rows kept for each key, after ordering. */
  readonly limitPerKey: number | undefined;
}

/** What `@ingest` kept of a type, read from the connectors' own store: no old system is asked. */
export interface StoreCall {
  readonly protocol: 'store';
  readonly type: string;
  /** The field of an event's data that holds the key: it is no field of the record. */
  readonly entityField: string;
  /** Of a field: its arguments, and how each narrows the list. Empty for a loader, which asks by keys. */
  readonly filters: readonly StoreFilter[];
  /** The argument that bounds the list; without one more than `STORE_ROWS_MAX` is an error. */
  readonly firstArgument: string | undefined;
}

/** A null argument does not narrow. */
export interface StoreFilter {
  readonly argument: string;
  readonly field: string;
  /** EQ: equal, or one of a list; FROM: not less; TO: not greater. */
  readonly comparison: 'EQ' | 'FROM' | 'TO';
  /** How values compare; equal ones as text unless they are times. */
  readonly kind: 'TEXT' | 'NUMBER' | 'TIME';
}

/** Values put into the topic are single levels: letters, digits, `_` and `-`. */
export interface MqttCall {
  readonly protocol: 'mqtt';
  readonly topic: Mapping;
  /** Sent as JSON; reads `$call` besides. */
  readonly body: Mapping | undefined;
  /** Whether an answer is awaited; without one the call is done when the broker has the message. */
  readonly reply: boolean;
}

/** Values put into the routing key are single words: letters, digits, `_` and `-`. */
export interface AmqpCall {
  readonly protocol: 'amqp';
  readonly exchange: Mapping;
  readonly routingKey: Mapping;
  /** Sent as JSON; reads `$call` besides. */
  readonly body: Mapping | undefined;
  /** As of MqttCall. */
  readonly reply: boolean;
}

/** One call, and how its answer becomes what the graph wants. */
export interface ConnectPlan {
  readonly source: string;
  readonly call: CallPlan;
  /** True when a business error is inside a good answer; the system's own code goes into the error's details. */
  readonly failWhen: Mapping | undefined;
  /** True when the answer says that there is nothing. */
  readonly emptyWhen: Mapping | undefined;
  /** Applied to the answer (REST: parsed JSON; SOAP: the operation's output; SQL: each row). */
  readonly select: Mapping;
}

export interface BatchPlan {
  /** STORE is never written: it is how every `store: true` reads. */
  readonly how: 'STORE' | 'LIST_PARAM' | 'JSON_BODY' | 'SOAP_ARRAY' | 'SQL_IN' | 'FAN_OUT' | 'LOAD_ALL';
  readonly keysMax: number;
  /** The field of the mapped object that is compared with the key (by the GraphQL type, so `1` meets `"1"`). */
  readonly match: string;
  /** Many rows a key: the value is a list. */
  readonly many: boolean;
}

/** How an entity is loaded by its key, many at once: one DataLoader a request. */
export interface EntityPlan {
  readonly type: string;
  readonly keyField: string;
  /** The fields of a key that has several, in the order of the type's `@key`; `keyField` is then the first. The loader's keys are texts of record-key.ts. */
  readonly keyFields?: readonly string[] | undefined;
  readonly connect: ConnectPlan & { readonly batch: BatchPlan };
  /** Undefined: every question reaches the source. */
  readonly freshness?: FreshnessPlan | undefined;
}

export type FieldPlan =
  | {
      readonly kind: 'call';
      readonly connect: ConnectPlan;
      readonly list: boolean;
      readonly returnType: string;
      readonly freshness?: FreshnessPlan | undefined;
      /** A mutation that is stored as a command before it is sent; undefined: one guarded call. */
      readonly write?: WritePlan | undefined;
    }
  /** One call for many parents: `$batch.<keyField>` holds the keys of the parents gathered in a tick. */
  | {
      readonly kind: 'batch';
      readonly connect: ConnectPlan & { readonly batch: BatchPlan };
      readonly parentKeyField: string;
      readonly returnType: string;
      readonly freshness?: FreshnessPlan | undefined;
    }
  /**
   * The field is another entity (or list of them), found by the key that the mapping yields; null key, null field.
   * `key.evaluate` yields the bare key value (a list of them for a list field), not an object: `id: $args.x` is compiled to `$args.x`.
   */
  | { readonly kind: 'reference'; readonly key: Mapping; readonly returnType: string };

/** How a mutation is sent once and its outcome found out: docs/commands.md. */
export interface WritePlan {
  /** Yields the client number: what the old system knows the write by. */
  readonly idempotencyKey: Mapping;
  /** Yields what it is about: writes of one subject go in order. */
  readonly subject: Mapping | undefined;
  /** `Query.<field>` in `fields`, and which of its arguments is the client number: no row means that it is not known. */
  readonly reconcile: { readonly field: string; readonly argument: string } | undefined;
  /** The old system makes a second call of one client number do nothing. */
  readonly retryable: boolean;
  /** How long a call that was given up may still come to be applied. */
  readonly settleForMs: number;
  readonly giveUpAfterMs: number;
}

/** Changes that come to us for one type. */
export interface IngestPlan {
  readonly type: string;
  readonly source: string;
  readonly from: { readonly kind: 'webhook' } | PollPlan | TopicPlan | QueuePlan | FilesPlan;
  /** The field of `select`'s result that identifies the record. */
  readonly keyField: string;
  /** The fields of a key that has several, in the order of the type's `@key`; `keyField` is then the first. */
  readonly keyFields?: readonly string[] | undefined;
  /**
   * The field of `select`'s result that orders versions of a record: older never overwrites newer. Undefined for files that
   * carry no version: there what is taken later is newer, and is told only where it differs.
   */
  readonly orderField: string | undefined;
  /** RFC 3339 time of the change. */
  readonly time: Mapping | undefined;
  readonly select: Mapping;
  /** The topic its changes are appended to: the type's name. */
  readonly topic: string;
  /**
   * The field of an event's data that holds the entity's key: data is `{ <entityField>: { <keyField>: key }, …select }`.
   * The field of the return type of `@changes(of: "<type>")` that returns the type; without one, the type's name in lower camel case.
   */
  readonly entityField: string;
  /** What the change reports to the incident library, when it does: see IncidentReport in @weft/schema/incident-report. */
  readonly report: Mapping | undefined;
  /** What the change tells of the work on an incident: see IncidentProgress in @weft/schema/incident-progress. */
  readonly progress?: Mapping | undefined;
  /** How long the store holds a record after its last change; undefined: for ever. */
  readonly keepMs: number | undefined;
  /** What tells one message from another; undefined: its address and its bytes. */
  readonly dedupe?: Mapping | undefined;
}

/** MQTT messages whose topic fits. */
export interface TopicPlan {
  readonly kind: 'topic';
  /** As it stands in the SDL: `city/{deviceId}/up/{metric}`. */
  readonly pattern: string;
  /** Replicas that share a group get each message once among them. */
  readonly group: string | undefined;
}

/** The messages of an AMQP queue, which its owner has made. */
export interface QueuePlan {
  readonly kind: 'queue';
  /** Its name; reads `$env`. */
  readonly queue: Mapping;
}

/** Files of a `files` source. */
export interface FilesPlan {
  readonly kind: 'files';
  /** Below the source's folder, `/out/aq_{date}.csv`: see files/file-pattern.ts. */
  readonly path: string;
  readonly schedule: { readonly everyMs: number } | { readonly cron: string };
  readonly format: 'CSV' | 'XML';
  /** XML: the local name of the element that is a record. */
  readonly record: string | undefined;
  /** CSV: one character. */
  readonly delimiter: string;
  /** CSV: names that the header must have; a file without them is rejected. */
  readonly columns: readonly string[];
  /** APPEND: a record that is known stays as it is. REPLACE_ALL: what the file does not have is dropped. */
  readonly mode: 'UPSERT' | 'APPEND' | 'REPLACE_ALL';
  readonly onBad: 'QUARANTINE' | 'REJECT_FILE';
}

export interface PollPlan {
  readonly kind: 'poll';
  readonly table: string;
  readonly columns: readonly string[];
  /** Columns that together only grow: change time first, then a tie-breaker. */
  readonly cursor: readonly [string, string];
  readonly everyMs: number;
  /** Read again this far back, for rows that were committed late. */
  readonly overlapMs: number;
  readonly rowsMax: number;
}

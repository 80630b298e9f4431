// Puts the parts of an answer together as a client does (https://github.com/graphql/defer-stream-wg, as of 2022-08-24).
type Path = readonly (string | number)[];

interface ClientError {
  readonly message: string;
  readonly path?: Path;
  readonly extensions: Readonly<Record<string, unknown>>;
}

/** One part as JSON gives it. */
export interface ClientPart {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly ClientError[];
  readonly incremental?: readonly {
    readonly label?: string;
    readonly path: Path;
    readonly data: Record<string, unknown> | null;
    readonly errors?: readonly ClientError[];
  }[];
  readonly hasNext?: boolean;
}

/** @throws Error when a part is for a place that the client was not sent */
export function mergeParts([first, ...others]: readonly ClientPart[]): {
  readonly data: unknown;
  readonly errors: readonly ClientError[];
} {
  const data: unknown = structuredClone(first?.data);
  const errors = [...(first?.errors ?? [])];
  for (const part of others.flatMap(({ incremental = [] }) => incremental)) {
    errors.push(...(part.errors ?? []));
    if (part.data !== null) mergeInto(objectAt(data, part.path), part.data);
  }
  return { data, errors };
}

function objectAt(data: unknown, path: Path): Record<string, unknown> {
  let value = data;
  for (const segment of path) value = (value as Record<string | number, unknown> | null)?.[segment];
  if (typeof value !== 'object' || value === null) throw new Error(`nothing was sent at ${path.join('.')}`);
  return value as Record<string, unknown>;
}

function mergeInto(target: Record<string, unknown>, source: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(source)) {
    const there = target[name];
    const isBoth = typeof there === 'object' && there !== null && typeof value === 'object' && value !== null;
    if (isBoth) mergeInto(there as Record<string, unknown>, value as Record<string, unknown>);
    else target[name] = value;
  }
}

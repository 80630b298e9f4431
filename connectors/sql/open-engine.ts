// Opens the engine that the scheme of a URL names.
import type { EngineLimits, SqlEngine } from './engine.ts';
import { openMysql } from './mysql-engine.ts';
import { openPostgres } from './postgres-engine.ts';
import { openSqlite } from './sqlite-engine.ts';
import type { Dialect } from './statement.ts';

export interface OpenedEngine {
  readonly dialect: Dialect;
  readonly engine: SqlEngine;
}

/** Undefined for what is no URL, or of a scheme that is no database's; no connection is made yet. The caller closes it. */
export function openEngine(url: unknown, limits: EngineLimits): OpenedEngine | undefined {
  const protocol = typeof url === 'string' && URL.canParse(url) ? new URL(url).protocol : undefined;
  switch (protocol) {
    case 'sqlite:':
      return { dialect: 'sqlite', engine: openSqlite(sqlitePath(String(url)), limits) };
    case 'mysql:':
    case 'mariadb:':
      return { dialect: 'mysql', engine: openMysql(String(url), limits) };
    case 'postgres:':
    case 'postgresql:':
      return { dialect: 'postgres', engine: openPostgres(String(url), limits) };
    default:
      return undefined;
  }
}

/** `sqlite:///path/to/file` to `/path/to/file`. */
export function sqlitePath(url: string): string {
  return decodeURIComponent(new URL(url).pathname);
}

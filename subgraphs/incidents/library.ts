// The incident library's tables, by both ways that lead there.
import type { SqlStore } from '@weft/core/sql-store';
import type { PrismaClient } from './generated/client.ts';

/** What is written often, and what holds an incident, goes by SQL; all else by Prisma. */
export interface Library {
  readonly prisma: PrismaClient;
  readonly sql: SqlStore;
}

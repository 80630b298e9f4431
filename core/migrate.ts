// Applies migrations in Prisma's folder format, one PostgreSQL schema an owner, under Prisma's own lock and table.
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import pg from 'pg';
import { OperatorError } from './errors.ts';

/** The advisory lock that `prisma migrate` takes itself: it and this runner never work at once. */
const PRISMA_MIGRATE_LOCK = 72_707_369;

/** As Prisma's schema engine makes it, so that `prisma migrate deploy` can go on from here. */
const MIGRATIONS_TABLE = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
  id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ,
  migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at TIMESTAMPTZ,
  started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0)`;

/** An owner of state: its PostgreSQL schema has its folder's name. */
export interface MigrationOwner {
  readonly schema: string;
  /** Absolute path of `prisma/migrations`. */
  readonly directory: string;
}

/** Every folder of the checkout (`*` and `subgraphs/*`) that holds `prisma/migrations`. */
export function findMigrationOwners(root: string): readonly MigrationOwner[] {
  return [root, join(root, 'subgraphs')]
    .flatMap((parent) =>
      readdirSync(parent, { withFileTypes: true }).map((entry) => join(parent, entry.name)),
    )
    .filter((folder) => existsSync(join(folder, 'prisma', 'migrations')))
    .map((folder) => ({ schema: basename(folder), directory: join(folder, 'prisma', 'migrations') }))
    .sort((a, b) => (a.schema < b.schema ? -1 : 1));
}

/**
 * Brings every owner's schema to the newest migration; makes the database when it does not exist.
 * @returns the names that were applied, as `schema/migration`
 * @throws OperatorError when the database cannot be reached, or a migration was changed or has failed before
 */
export async function migrateAll(
  databaseUrl: string,
  owners: readonly MigrationOwner[],
): Promise<readonly string[]> {
  const client = await connectOrCreate(databaseUrl);
  try {
    await client.query('SELECT pg_advisory_lock($1)', [PRISMA_MIGRATE_LOCK]);
    const applied: string[] = [];
    for (const owner of owners) applied.push(...(await migrateOwner(client, owner)));
    return applied;
  } finally {
    await client.end();
  }
}

async function connectOrCreate(databaseUrl: string): Promise<pg.Client> {
  try {
    return await connect(databaseUrl);
  } catch (thrown) {
    if ((thrown as { code?: string }).code !== '3D000') throw cannotReach(databaseUrl, thrown);
  }
  await createDatabase(databaseUrl);
  try {
    return await connect(databaseUrl);
  } catch (thrown) {
    throw cannotReach(databaseUrl, thrown);
  }
}

const CONNECT_TIMEOUT_MS = 5_000;

async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  // What is lost is told by the statement that meets with it.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function createDatabase(databaseUrl: string): Promise<void> {
  const url = new URL(databaseUrl);
  const name = decodeURIComponent(url.pathname.slice(1));
  url.pathname = '/postgres';
  let admin: pg.Client | undefined;
  try {
    admin = await connect(url.href);
    await admin.query(`CREATE DATABASE ${admin.escapeIdentifier(name)}`);
  } catch (thrown) {
    // 42P04, 23505: another process made it at the same moment.
    const code = (thrown as { code?: string }).code;
    if (code !== '42P04' && code !== '23505') throw cannotReach(databaseUrl, thrown);
  } finally {
    await admin?.end();
  }
}

/** One line that names the setting, the address without its password, and what PostgreSQL or the network said. */
function cannotReach(databaseUrl: string, cause: unknown): OperatorError {
  let shown = 'the given text';
  try {
    const url = new URL(databaseUrl);
    url.password = '';
    shown = url.href;
  } catch {
    return new OperatorError(
      'DATABASE_URL is not a URL: expected postgresql://user:password@host:port/database',
      { cause, exitCode: 2 },
    );
  }
  const { code, message } = cause as { code?: string; message?: string };
  const said = message === undefined || message === '' ? (code ?? String(cause)) : message;
  return new OperatorError(
    `DATABASE_URL ${shown} cannot be used: ${said}. Correct it, or unset it to use the embedded PostgreSQL`,
    { cause, exitCode: 2 },
  );
}

interface MigrationRow {
  readonly migration_name: string;
  readonly checksum: string;
  readonly finished_at: Date | null;
}

async function migrateOwner(client: pg.Client, owner: MigrationOwner): Promise<readonly string[]> {
  const schema = client.escapeIdentifier(owner.schema);
  await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
  await client.query(`SET search_path TO ${schema}`);
  await client.query(MIGRATIONS_TABLE);
  const { rows } = await client.query<MigrationRow>(
    'SELECT migration_name, checksum, finished_at FROM "_prisma_migrations" WHERE rolled_back_at IS NULL',
  );
  const applied: string[] = [];
  const names = readdirSync(owner.directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  for (const name of names) {
    const sql = readFileSync(join(owner.directory, name, 'migration.sql'), 'utf8');
    const checksum = createHash('sha256').update(sql).digest('hex');
    const row = rows.find((candidate) => candidate.migration_name === name);
    if (row !== undefined) {
      requireApplied(owner.schema, row, checksum);
      continue;
    }
    await applyOne(client, owner.schema, name, sql, checksum);
    applied.push(`${owner.schema}/${name}`);
  }
  return applied;
}

function requireApplied(schema: string, row: MigrationRow, checksum: string): void {
  const name = `${schema}/${row.migration_name}`;
  if (row.finished_at === null) {
    throw new OperatorError(
      `migration ${name} failed before: read "logs" in ${schema}._prisma_migrations, mend it, then 'prisma migrate resolve'`,
    );
  }
  if (row.checksum !== checksum)
    throw new OperatorError(`migration ${name} was changed after it was applied: restore its file`);
}

async function applyOne(
  client: pg.Client,
  schema: string,
  name: string,
  sql: string,
  checksum: string,
): Promise<void> {
  const id = randomUUID();
  await client.query('INSERT INTO "_prisma_migrations" (id, checksum, migration_name) VALUES ($1, $2, $3)', [
    id,
    checksum,
    name,
  ]);
  try {
    // Several statements in one simple query run in one transaction.
    await client.query(sql);
    await client.query(
      'UPDATE "_prisma_migrations" SET finished_at = now(), applied_steps_count = 1 WHERE id = $1',
      [id],
    );
  } catch (thrown) {
    await client.query('UPDATE "_prisma_migrations" SET logs = $2 WHERE id = $1', [id, String(thrown)]);
    throw new OperatorError(`migration ${schema}/${name}: ${(thrown as Error).message}`, { cause: thrown });
  }
}

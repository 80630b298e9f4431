// The facts of the tables that a system's SDL reads: their columns and types, in the contract and in the database.
import { readFileSync } from 'node:fs';
import { OperatorError } from '@weft/core/errors';
import type { CallPlan, SystemPlan } from '../plan.ts';
import type { Table } from '../sql/tables.ts';
import type { Structure } from './structure.ts';

/** Table to the columns that the SDL names, in calls of the source and in its polls. */
export type UsedColumns = ReadonlyMap<string, ReadonlySet<string>>;

export function usedColumns({ entities, fields, ingests }: SystemPlan, source: string): UsedColumns {
  const used = new Map<string, Set<string>>();
  const add = (table: string, columns: readonly string[]) => {
    const known = used.get(table) ?? new Set();
    for (const column of columns) known.add(column);
    used.set(table, known);
  };
  const addCall = (call: CallPlan) => {
    if (call.protocol === 'sql')
      add(call.table, [...call.columns, ...call.orderBy.map(({ column }) => column)]);
  };
  for (const { connect } of entities.values()) if (connect.source === source) addCall(connect.call);
  for (const field of fields.values()) {
    if ('connect' in field && field.connect.source === source) addCall(field.connect.call);
  }
  for (const { source: from, from: poll } of ingests) {
    if (from === source && poll.kind === 'poll') add(poll.table, [...poll.columns, ...poll.cursor]);
  }
  return used;
}

/** What stands for a type where the contract has none: whether the column is there is all that is compared. */
const ANY_TYPE = 'there';

/** @param types false where the contract names no types */
export function structureOfTables(
  tables: readonly Pick<Table, 'name' | 'columns'>[],
  used: UsedColumns,
  types: boolean,
): Structure {
  const facts = new Map<string, string>();
  const byName = new Map(tables.map((table) => [table.name.toLowerCase(), table]));
  for (const [name, columns] of used) {
    const table = byName.get(name.toLowerCase());
    if (table === undefined) continue;
    facts.set(`table ${name}`, ANY_TYPE);
    for (const column of columns) {
      const found = table.columns.find((one) => one.name.toLowerCase() === column.toLowerCase());
      if (found !== undefined) facts.set(`column ${name}.${column}`, types ? found.type : ANY_TYPE);
    }
  }
  return facts;
}

/** All that the SDL names, as if it were there. */
export function structureOfUse(used: UsedColumns): Structure {
  return new Map(
    [...used].flatMap(([table, columns]) => [
      [`table ${table}`, ANY_TYPE] as const,
      ...[...columns].map((column) => [`column ${table}.${column}`, ANY_TYPE] as const),
    ]),
  );
}

/** The tables of a contract file. @throws OperatorError when it is not what discover writes */
export function readTablesFile(file: string): readonly Pick<Table, 'name' | 'columns'>[] {
  try {
    const { tables } = JSON.parse(readFileSync(file, 'utf8')) as {
      tables: readonly Pick<Table, 'name' | 'columns'>[];
    };
    if (tables.every(({ name, columns }) => typeof name === 'string' && Array.isArray(columns)))
      return tables;
  } catch {
    // Told below, in the words of who has to mend it.
  }
  throw new OperatorError(`${file}: expected { "tables": [{ "name", "columns": [{ "name", "type" }] }] }`, {
    exitCode: 1,
  });
}

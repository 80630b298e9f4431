// Reads a settings file, with one line for what is wrong in it.
import { existsSync, readFileSync } from 'node:fs';
import type { z } from 'zod';
import { OperatorError } from './errors.ts';

/** @throws OperatorError naming the setting, the file and each problem */
export function readJson<Schema extends z.ZodType>(
  setting: string,
  file: string,
  schema: Schema,
): z.infer<Schema> {
  if (!existsSync(file)) throw new OperatorError(`${setting}: there is no file ${file}`, { exitCode: 2 });
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (thrown) {
    throw new OperatorError(`${setting}: ${file} is not JSON`, { exitCode: 2, cause: thrown });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  throw new OperatorError(`${setting}: ${file}: ${problems.join('; ')}`, { exitCode: 2 });
}

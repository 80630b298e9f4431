// The file that says what a CSV's columns and values mean to the hotline.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from '@weft/core/errors';
import { z } from 'zod';

const communityCode = z.string().regex(/^\d{12}$/, 'expected the 12 digits of a community');

const requestType = z.strictObject({
  subject: z.string().min(1).max(200),
  /** GB/T 33358: 1 咨询, 2 求助, 3 投诉, 4 举报, 5 建议, 6 感谢/表扬, 9 其他. */
  kind: z.enum(['1', '2', '3', '4', '5', '6', '9']),
  /** 5 digits of GB/T 47678.5; absent when nothing fits. */
  itemCode: z
    .string()
    .regex(/^\d{5}$/, 'expected 5 digits')
    .optional(),
  /** The police were told too: the order cites their receipt. The category is the police's own code (AJLB). */
  police: z.strictObject({ category: z.string().regex(/^\d{2}$/, 'expected 2 digits') }).optional(),
});

const MAPPING = z.strictObject({
  name: z.string().min(1),
  /** Field to the CSV's column. */
  columns: z.strictObject({
    id: z.string(),
    createdAt: z.string(),
    type: z.string(),
    address: z.string(),
    area: z.string(),
    source: z.string(),
  }),
  /** How `createdAt` is written, and in which zone its clock is to be read. */
  time: z.strictObject({ pattern: z.string(), zone: z.string() }),
  /** `{column}` stands for the row's value. */
  content: z.string().min(1).max(1_000),
  types: z.record(z.string(), requestType),
  /** For types that are not listed; without it such a row is refused. */
  typeDefault: requestType.optional(),
  areas: z.record(z.string(), communityCode),
  /** For areas that are blank or not listed. */
  areaDefault: communityCode,
  sources: z.record(z.string(), z.enum(['PHONE', 'APP', 'WX', 'WB', 'WEB'])),
  sourceDefault: z.enum(['PHONE', 'APP', 'WX', 'WB', 'WEB']),
});

/** A checked mapping file; the fields are explained at their schema above. */
export type Mapping = z.infer<typeof MAPPING>;
export type RequestType = z.infer<typeof requestType>;

const FILE_SUFFIX = '.mapping.json';

/**
 * Reads and checks a mapping file.
 * @throws OperatorError that lists every problem with its place in the file
 */
export function readMapping(file: string): Mapping {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new OperatorError(`mapping ${file}: ${(cause as Error).message}`, { cause, exitCode: 2 });
  }
  const parsed = MAPPING.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    (issue) => `${issue.path.join('.') || '(root)'}: ${issue.message}`,
  );
  throw new OperatorError(`mapping ${file}: ${problems.join('; ')}`, { exitCode: 2 });
}

/**
 * The mapping of a CSV for which none was named: the file beside it (`x.csv` -> `x.mapping.json`), else the first of
 * `folders` whose columns are all in the CSV's header.
 * @throws OperatorError when there is none
 */
export function findMapping(csvFile: string, header: readonly string[], folders: readonly string[]): string {
  const beside = csvFile.replace(/\.csv$/i, '') + FILE_SUFFIX;
  if (existsSync(beside)) return beside;
  const known = folders
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder)
        .sort()
        .map((name) => join(folder, name)),
    )
    .filter((file) => file.endsWith(FILE_SUFFIX));
  const found = known.find((file) => missingColumns(readMapping(file), header).length === 0);
  if (found !== undefined) return found;
  throw new OperatorError(`no mapping is known for the columns of ${csvFile}: name one with --mapping FILE`, {
    exitCode: 2,
  });
}

/** The columns that a mapping reads and a header does not have. */
export function missingColumns(mapping: Mapping, header: readonly string[]): readonly string[] {
  const inContent = [...mapping.content.matchAll(/\{([^}]*)\}/g)].map((match) => match[1] ?? '');
  const wanted = new Set([...Object.values(mapping.columns), ...inContent]);
  return [...wanted].filter((column) => !header.includes(column));
}

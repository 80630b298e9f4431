// Brings what is generated from the owners' Prisma schemas up to date: format, validation, clients. Works offline.
// `generate.ts [FOLDER…]`: the folders that hold `prisma/`; all of the checkout when none is given.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

/** One owner takes under a second; far above it something hangs. */
const PRISMA_MS_MAX = 60_000;

/** Every folder of the checkout (`*` and `subgraphs/*`) that holds a Prisma schema, as absolute paths. */
function findPrismaOwners(root: string): readonly string[] {
  return [root, join(root, 'subgraphs')]
    .flatMap((parent) =>
      readdirSync(parent, { withFileTypes: true }).map((entry) => join(parent, entry.name)),
    )
    .filter((folder) => existsSync(join(folder, 'prisma', 'schema.prisma')))
    .sort();
}

/**
 * Formats and validates an owner's `prisma/schema.prisma` and, where it has a generator, writes `generated/` beside it.
 * @param owner absolute path of the folder that holds `prisma/`
 * @throws with what Prisma printed
 */
async function generateOwner(owner: string): Promise<void> {
  const schema = join(owner, 'prisma', 'schema.prisma');
  await runPrisma(['format', '--schema', schema]);
  await runPrisma(['validate', '--schema', schema]);
  if (/^generator /m.test(readFileSync(schema, 'utf8'))) await runPrisma(['generate', '--schema', schema]);
}

function runPrisma(parameters: readonly string[]): Promise<void> {
  const prisma = createRequire(import.meta.url).resolve('prisma/build/index.js');
  const child = spawn(process.execPath, [prisma, ...parameters], {
    // None of these commands uses the engine, but each would download it; any program that exits 0 passes for it.
    env: {
      ...process.env,
      PRISMA_SCHEMA_ENGINE_BINARY: findTrue(),
      PRISMA_HIDE_UPDATE_MESSAGE: '1',
      NO_COLOR: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PRISMA_MS_MAX,
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (printed += chunk));
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code) => {
      if (code === 0) done();
      else fail(new Error(`prisma ${parameters.join(' ')}: exit code ${code}\n${printed}`));
    });
  });
}

function findTrue(): string {
  const found = ['/bin/true', '/usr/bin/true'].find(existsSync);
  if (found === undefined)
    throw new Error('no program `true` in /bin or /usr/bin: run this on Linux or macOS');
  return found;
}

const given = process.argv.slice(2).map((folder) => resolve(folder));
const owners = given.length > 0 ? given : findPrismaOwners(resolve(import.meta.dirname, '..'));
for (const owner of owners) {
  await generateOwner(owner);
  console.log(`generated ${owner}`);
}

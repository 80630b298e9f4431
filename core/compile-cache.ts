// Node keeps what it has compiled of a module, types stripped, and need not do so again: half the processor time of a start.
import { enableCompileCache } from 'node:module';
import { join, resolve } from 'node:path';

/** Goes with the packages that it is made of. Whoever may not write there starts without it. */
const FOLDER = join(resolve(import.meta.dirname, '..'), 'node_modules', '.cache', 'weft-compiled');

/**
 * Uses the cache in this process and in those that inherit its environment; what was imported before is not in it. A folder
 * that was set stays, and so does NODE_DISABLE_COMPILE_CACHE (https://nodejs.org/api/module.html#module-compile-cache).
 */
export function useCompileCache(): void {
  Object.assign(process.env, compileCacheEnvironment());
  enableCompileCache(process.env.NODE_COMPILE_CACHE);
}

/** For a process that gets an environment of its own: where the cache is, or that there is to be none. */
export function compileCacheEnvironment(): Readonly<Record<string, string>> {
  const { NODE_COMPILE_CACHE, NODE_DISABLE_COMPILE_CACHE } = process.env;
  if (NODE_DISABLE_COMPILE_CACHE !== undefined) return { NODE_DISABLE_COMPILE_CACHE };
  return { NODE_COMPILE_CACHE: NODE_COMPILE_CACHE ?? FOLDER };
}

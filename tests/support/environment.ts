// What a program of the project needs of the surroundings, and nothing that the test runner has set.
import { compileCacheEnvironment } from '@weft/core/compile-cache';

export const BARE_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: process.env.PATH ?? '',
  ...compileCacheEnvironment(),
};

// What every mutation of the registry works with.
import type { AddressGuard } from '@weft/core/address-guard';
import type { Logger } from '@weft/core/logger';
import type { RegistryChecks } from '@weft/schema/registry-checks';
import type { PrismaClient } from './generated/client.ts';
import type { Variants } from './variants.ts';

export interface RegistryParts {
  readonly prisma: PrismaClient;
  readonly logger: Logger;
  readonly guard: AddressGuard;
  readonly checks: RegistryChecks;
  readonly variants: Variants;
}

// Puts attachments together: the folder of the bytes, the endpoint and the sweep.
import type { Logger } from '@weft/core/logger';
import type { Endpoint } from '../../owned-subgraph.ts';
import type { Actor } from '../actor.ts';
import type { PrismaClient } from '../generated/client.ts';
import type { Watch } from '../watch.ts';
import { openByteStore } from './byte-store.ts';
import type { AttachmentSettings } from './limits.ts';
import { registerAttachmentRoutes } from './routes.ts';
import { startAttachmentSweep } from './sweep.ts';
import { createUploads, type UploadLimits } from './upload.ts';

export interface AttachmentsOptions {
  readonly prisma: PrismaClient;
  readonly settings: AttachmentSettings;
  readonly actorOf: (principal: string | undefined) => Actor;
  readonly logger: Logger;
  readonly limits?: Partial<UploadLimits>;
}

export interface Attachments {
  readonly endpoint: Endpoint;
  /** Closed by the caller, before the store. */
  readonly sweep: Watch;
}

/** @throws OperatorError when the folder cannot be made */
export function openAttachments({
  prisma,
  settings,
  actorOf,
  logger,
  limits,
}: AttachmentsOptions): Attachments {
  const bytes = openByteStore(settings.folder);
  const uploads = createUploads({ prisma, bytes, settings, ...(limits === undefined ? {} : { limits }) });
  return {
    endpoint: {
      path: 'attachments',
      register: (scope, principalOf) =>
        registerAttachmentRoutes(scope, {
          prisma,
          bytes,
          uploads,
          actorOf: (request) => actorOf(principalOf(request)),
          logger,
        }),
    },
    sweep: startAttachmentSweep({ prisma, bytes, settings }, logger),
  };
}

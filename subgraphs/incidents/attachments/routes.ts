// The internal endpoint of attachments: what the gateway streams through to its clients.
import type { FileHandle } from 'node:fs/promises';
import { ERROR_CODES, HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { fromStoreError } from '../../store.ts';
import type { Actor } from '../actor.ts';
import type { PrismaClient } from '../generated/client.ts';
import type { ByteStore } from './byte-store.ts';
import { findAttachment, readWanted, type Wanted } from './download.ts';
import { contentDisposition } from './file-name.ts';
import { readAttachmentId } from './identity.ts';
import type { Attached } from './refer.ts';
import { AttachmentRefusal } from './refusal.ts';
import type { Uploads } from './upload.ts';

export interface AttachmentRoutesOptions {
  readonly prisma: PrismaClient;
  readonly bytes: ByteStore;
  readonly uploads: Uploads;
  readonly actorOf: (request: FastifyRequest) => Actor;
  readonly logger: Logger;
}

/** `POST /`, `GET` and `HEAD /:id` below the prefix that `scope` has. */
export function registerAttachmentRoutes(scope: FastifyInstance, options: AttachmentRoutesOptions): void {
  const { uploads, actorOf } = options;
  // The body stays a stream: nothing of it is read before the route asks for it.
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  scope.post<{ Querystring: { readonly name?: unknown } }>('/', async (request, reply) =>
    answer(reply, options.logger, async () => {
      const { name } = request.query;
      const given = typeof name === 'string' ? name : undefined;
      const stored = await uploads.take({ actor: actorOf(request), name: given, body: request.raw });
      return reply.code(201).send(stored);
    }),
  );
  scope.route<{ Params: { readonly id: string } }>({
    method: ['GET', 'HEAD'],
    url: '/:id',
    handler: (request, reply) => answer(reply, options.logger, () => download(options, request, reply)),
  });
}

async function download(
  { prisma, bytes, actorOf }: AttachmentRoutesOptions,
  request: FastifyRequest<{ Params: { readonly id: string } }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const sha256 = readAttachmentId(request.params.id);
  const attached = await findAttachment(prisma, actorOf(request), sha256);
  const file = await bytes.open(attached.sha256);
  if (file === undefined)
    throw new HubError('STORE_UNAVAILABLE', `The bytes of the attachment are not in their folder.`);
  const etag = `"${attached.sha256}"`;
  const wanted = readWanted(request.headers, etag, attached.size);
  describe(reply, attached, etag);
  if (request.method !== 'HEAD' && (wanted.kind === 'whole' || wanted.kind === 'part'))
    return reply.send(streamOf(reply, file, wanted, attached.size));
  await file.close();
  setLength(reply, wanted, attached.size);
  return reply.send();
}

/** What every answer says of it: saved and not shown, never guessed at, and asked for again each time. */
function describe(reply: FastifyReply, { type, name }: Attached, etag: string): void {
  reply.headers({
    'content-type': type === 'text/plain' ? 'text/plain; charset=utf-8' : type,
    'content-disposition': contentDisposition(name),
    'accept-ranges': 'bytes',
    'cache-control': 'private, no-cache',
    etag,
  });
}

function setLength(reply: FastifyReply, wanted: Wanted, size: number): void {
  switch (wanted.kind) {
    case 'whole':
      reply.header('content-length', size);
      return;
    case 'part': {
      const { start, end } = wanted.range;
      reply.code(206).headers({
        'content-range': `bytes ${start}-${end}/${size}`,
        'content-length': end - start + 1,
      });
      return;
    }
    case 'unsatisfiable':
      reply.code(416).header('content-range', `bytes */${size}`);
      return;
    case 'unchanged':
      reply.code(304);
      return;
    default:
      wanted satisfies never;
  }
}

function streamOf(reply: FastifyReply, file: FileHandle, wanted: Wanted, size: number) {
  setLength(reply, wanted, size);
  return file.createReadStream(wanted.kind === 'part' ? wanted.range : {});
}

async function answer(
  reply: FastifyReply,
  logger: Logger,
  run: () => Promise<FastifyReply>,
): Promise<FastifyReply> {
  try {
    return await run();
  } catch (thrown) {
    const error = fromStoreError(thrown);
    const isOurs = error.code === 'INTERNAL_SERVER_ERROR' || error.code === 'STORE_UNAVAILABLE';
    if (isOurs) logger.error({ err: thrown }, 'an attachment could not be stored or read');
    const status = error instanceof AttachmentRefusal ? error.status : ERROR_CODES[error.code].httpStatus;
    return reply
      .code(status)
      .send({ errors: [{ message: error.message, extensions: error.toExtensions() }] });
  }
}

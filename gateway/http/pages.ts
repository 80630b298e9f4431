// Serves the dashboard's files: `/`, `/systems`, `/explorer`, and the vendor files that its manifest names.
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import { OperatorError } from '@weft/core/errors';
import type { FastifyInstance } from 'fastify';

/** Scripts from here only; GraphiQL writes style attributes and data: images, and keeps its fonts in its style sheet. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** Of every answer; one that is written past Fastify's hooks adds them itself. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

/** On every answer, pages or not. */
export function registerSecurityHeaders(app: FastifyInstance): void {
  // Not an async hook: every answer would wait for a promise that has nothing to wait for.
  app.addHook('onSend', (_request, reply, _payload, done) => {
    reply.headers(SECURITY_HEADERS);
    done();
  });
}

/** @param isExplorerOn whether the explorer and what only it needs is served */
export function registerPages(app: FastifyInstance, isExplorerOn: boolean): void {
  const dashboard = dirname(fileURLToPath(import.meta.resolve('@weft/dashboard/package.json')));
  app.register(fastifyStatic, {
    root: join(dashboard, 'public'),
    cacheControl: true,
    maxAge: 0,
    etag: true,
    allowedPath: (path) => isExplorerOn || !isOfExplorer(path),
  });
  app.get('/systems', (_request, reply) => reply.sendFile('systems.html'));
  app.get('/systems/', (_request, reply) => reply.redirect('/systems', 308));
  if (isExplorerOn) {
    app.get('/explorer', (_request, reply) => reply.sendFile('explorer.html'));
    app.get('/explorer/', (_request, reply) => reply.redirect('/explorer', 308));
  }
  for (const [path, file] of vendorFiles(dashboard)) {
    if (!isExplorerOn && isOfExplorer(path)) continue;
    app.get(path, (_request, reply) => reply.sendFile(basename(file), dirname(file)));
  }
}

function isOfExplorer(path: string): boolean {
  return /^\/(?:explorer|vendor\/(?:react|graphiql))/.test(path);
}

/** `assets.json`: URL path to a file below the dashboard's node_modules. */
function vendorFiles(dashboard: string): readonly (readonly [string, string])[] {
  const manifestFile = join(dashboard, 'assets.json');
  if (!existsSync(manifestFile)) return [];
  const manifest: unknown = JSON.parse(readFileSync(manifestFile, 'utf8'));
  return Object.entries(manifest as Readonly<Record<string, unknown>>).map(([path, file]) => {
    if (typeof file !== 'string') throw new OperatorError(`${manifestFile}: ${path} must name a file`);
    return [path, join(dashboard, 'node_modules', file)];
  });
}

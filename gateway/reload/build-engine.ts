// The engine that the settings ask for, over a supergraph that it can serve.
import { setImmediate as othersTurn } from 'node:timers/promises';
import type { AddressGuard } from '@weft/core/address-guard';
import { OperatorError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { DocumentNode } from 'graphql';
import { validateSDL } from 'graphql/validation/validate.js';
import { readOwnRules } from '../authority/own-rules.ts';
import type { Policies, Policy } from '../authority/requirement.ts';
import type { GatewayConfig } from '../config.ts';
import { createEngine, type EngineOptions } from '../execute/create-engine.ts';
import type { EngineLimits } from '../limits.ts';
import type { LoadedSupergraph } from '../load-supergraph.ts';
import type { EngineMeter } from '../observe/meter.ts';
import type { PlannerSpares } from '../plan/planner-spares.ts';
import { readSupergraphDocument } from '../plan/supergraph-document.ts';
import { checkFeatures } from './check-features.ts';
import { checkReferences } from './check-references.ts';
import type { BuiltEngine } from './generation.ts';

export interface BuildOptions {
  readonly config: Pick<
    GatewayConfig,
    | 'engine'
    | 'planner'
    | 'shareInFlight'
    | 'forwardedHeaders'
    | 'policies'
    | 'onUnauthorized'
    | 'subgraphKeys'
    | 'introspection'
    | 'overrideLabels'
    | 'tellsOwnWords'
    | 'subgraphTimeouts'
  >;
  readonly logger: Logger;
  readonly limits: Partial<EngineLimits>;
  /** For the addresses of a graph that the registry gave. */
  readonly addressGuard?: AddressGuard | undefined;
  /** Told of what happens in the engine. */
  readonly meter?: EngineMeter | undefined;
  /** Where planning processes come from, and go to when an engine is closed; default: they are started, and ended. */
  readonly plannerSpares?: PlannerSpares | undefined;
}

/** @throws OperatorError naming the file, and why it cannot be served, in one line where the reason is one */
export async function buildEngine(loaded: LoadedSupergraph, options: BuildOptions): Promise<BuiltEngine> {
  try {
    await checkSupergraph(loaded.supergraphSdl, options);
    await othersTurn();
    const engine = await createChosenEngine(loaded, options);
    await requireReady(engine);
    return { engine, id: loaded.hash };
  } catch (thrown) {
    // Whatever a library throws at a text is the text's fault as far as an operator can mend it.
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    const exitCode = thrown instanceof OperatorError ? thrown.exitCode : 2;
    throw new OperatorError(`${loaded.origin}: ${reason}`, { exitCode, cause: thrown });
  }
}

/** Before an engine is made: libraries take much for a supergraph that they cannot execute in the end. */
async function checkSupergraph(supergraphSdl: string, { config, logger }: BuildOptions): Promise<void> {
  // First, since it says of a text that is no supergraph at all that it is none.
  const { ast: document } = readSupergraphDocument(supergraphSdl);
  await othersTurn();
  checkFeatures(document, config.engine !== 'apollo');
  checkReferences(document);
  await othersTurn();
  const [error] = validateSDL(document);
  if (error !== undefined)
    throw new OperatorError(`the supergraph is not valid: ${error.message}`, { exitCode: 2, cause: error });
  await othersTurn();
  warnOfUnmetPolicies(document, policiesByName(config.policies ?? []), logger);
}

async function requireReady(
  engine: BuiltEngine['engine'] & { readonly ready?: Promise<unknown> },
): Promise<void> {
  try {
    await engine.ready;
  } catch (thrown) {
    await engine.close();
    throw thrown;
  }
}

function policiesByName(policies: readonly Policy[]): Policies {
  return new Map(policies.map((policy) => [policy.name, policy]));
}

/** A policy that no file names is met by nobody: right, and seldom meant. */
function warnOfUnmetPolicies(supergraph: DocumentNode, policies: Policies, logger: Logger): void {
  const { requirements } = readOwnRules(supergraph);
  const named = requirements.flatMap((one) => (one.kind === 'policies' ? one.anyOf.flat() : []));
  const unmet = [...new Set(named)].filter((name) => !policies.has(name));
  if (unmet.length > 0)
    logger.warn({ policies: unmet }, 'nobody meets these policies: WEFT_POLICIES_FILE does not name them');
}

async function createChosenEngine(
  { supergraphSdl, subgraphUrls, subscriptions = {}, registered }: LoadedSupergraph,
  { config, logger, limits, meter, addressGuard, plannerSpares }: BuildOptions,
): Promise<BuiltEngine['engine']> {
  const options: EngineOptions = {
    supergraphSdl,
    subgraphUrls,
    subscriptions,
    logger,
    limits,
    meter,
    plannerSpares,
    addressGuard: registered === undefined ? undefined : addressGuard,
    ...(config.planner === undefined ? {} : { planner: config.planner }),
    shareInFlight: config.shareInFlight ?? false,
    forwardedHeaders: config.forwardedHeaders ?? [],
    policies: policiesByName(config.policies ?? []),
    onUnauthorized: config.onUnauthorized ?? 'null',
    subgraphKeys: config.subgraphKeys,
    keepsBackOwnWords: config.tellsOwnWords === false,
    subgraphTimeouts: config.subgraphTimeouts,
    introspection: config.introspection ?? true,
    overrideLabels: config.overrideLabels ?? [],
  };
  const { engine = 'weft' } = config;
  switch (engine) {
    case 'weft':
      return createEngine(options);
    case 'apollo':
      return (await import('../apollo/apollo-engine.ts')).createApolloEngine(options);
    default:
      return engine satisfies never;
  }
}

// Where the reloader takes graphs from: files that it watches, or a registry that it asks.
import type { Logger } from '@weft/core/logger';
import type { GatewayConfig } from '../config.ts';
import { type LoadedSupergraph, loadSupergraph } from '../load-supergraph.ts';
import type { ReloadLimits } from './limits.ts';
import type { ReloadOutcome } from './reloader.ts';
import { watchFiles } from './watch-files.ts';

/** One place that the first graph may be taken from. */
export interface FirstGraph {
  /** For messages: which place it is. */
  readonly place: string;
  /**
   * Undefined: there is nothing at this place.
   * @throws OperatorError saying why it cannot be had
   */
  load(): Promise<LoadedSupergraph | undefined>;
}

export interface GraphSource {
  /** In the order of trust: the first that can be served is. */
  readonly firsts: readonly FirstGraph[];
  /**
   * The graph of now; undefined when it is that which is served.
   * @throws OperatorError saying why it is not to be had, or not to be believed
   */
  load(): Promise<LoadedSupergraph | undefined>;
  /** Called once, when the first graph serves. From then on `reload` is called when there may be another one. */
  begin(reload: () => Promise<ReloadOutcome>): void;
  /** What became of a graph: of the first one, and of whatever `load` gave. */
  concluded(loaded: LoadedSupergraph | undefined, outcome: ReloadOutcome): Promise<void>;
  /** By which number what is served was published; undefined where there are no numbers. */
  readonly publication: number | undefined;
  /** Why what is served may not be what should be: a reason of `/health/ready`. */
  staleness(): string | undefined;
  /** Calls nobody any more; resolves when nothing is under way. */
  close(): Promise<void>;
}

export interface FileSourceOptions {
  readonly config: GatewayConfig;
  readonly logger: Logger;
  readonly limits: ReloadLimits;
}

/** The files of the settings, read again when they change. */
export function createFileSource({ config, logger, limits }: FileSourceOptions): GraphSource {
  // The files may change while the first graph is still being built.
  let isLate = false;
  let onChange = () => {
    isLate = true;
  };
  const watch = watchFiles({ limits, logger, onChange: () => onChange() });
  const load = () => loadSupergraph({ config, logger, limits, onFiles: watch.setFiles });
  return {
    firsts: [{ place: 'the files of the settings', load }],
    load,
    begin(reload) {
      onChange = () => void reload();
      if (isLate) onChange();
    },
    concluded: async () => undefined,
    publication: undefined,
    staleness: () => undefined,
    close: async () => watch.close(),
  };
}

// Turns GraphQL errors into what a person reads in the place of the missing value.

/**
 * @typedef {{ message: string, path?: readonly (string | number)[], extensions?: { code?: string, system?: string } }} GraphQLFailure
 * @typedef {{ path: readonly (string | number)[], system: string, code: string }} Failure path: from the row's own object on
 */

/** @type {Readonly<Record<string, string>>} */
const SYSTEM_LABELS = {
  hotline: '热线',
  grid: '网格',
  police: '公安',
  'urban-management': '城管',
  'human-resources': '人社',
  'market-supervision': '市监',
  connectors: '连接器',
  incidents: '事件库',
  directory: '区划目录',
  registry: '系统名录',
};

/** @type {Readonly<Record<string, string>>} */
const CODE_LABELS = {
  UPSTREAM_UNAVAILABLE: '无应答',
  DEADLINE_EXCEEDED: '应答超时',
  UPSTREAM_INVALID: '应答无法识别',
  RATE_LIMITED: '请求过多',
  FORBIDDEN: '无权查看',
  UNAUTHENTICATED: '未登录',
  STORE_UNAVAILABLE: '数据库不可用',
};

/** @param {string} system the registered name @returns {string} a short name for people */
export function systemLabel(system) {
  return SYSTEM_LABELS[system] ?? system;
}

/** @param {string} code of docs/errors.md, or '' @returns {string} */
export function codeLabel(code) {
  return CODE_LABELS[code] ?? (code === '' ? '出错' : `出错 ${code}`);
}

/**
 * The errors at, above or below `base`, with paths cut to begin there; one above it has the empty path: it took all.
 * @param {readonly GraphQLFailure[] | undefined} errors @param {readonly (string | number)[]} base
 * @returns {readonly Failure[]}
 */
export function failuresBelow(errors, base) {
  return (errors ?? []).flatMap((error) => {
    const path = error.path ?? [];
    const shared = Math.min(path.length, base.length);
    if (!base.slice(0, shared).every((step, index) => step === path[index])) return [];
    return [
      {
        path: path.slice(base.length),
        system: error.extensions?.system ?? '',
        code: error.extensions?.code ?? '',
      },
    ];
  });
}

/**
 * What stands where the value at `path` should: a dash, and who failed and how when somebody did.
 * @param {readonly Failure[]} failures @param {readonly string[]} path
 * @returns {{ text: string, failed: boolean }}
 */
export function describeMissing(failures, path) {
  const failure = failures.find((candidate) => candidate.path.every((step, index) => step === path[index]));
  if (failure === undefined) return { text: '—', failed: false };
  return { text: `—(${describeFailure(failure)})`, failed: true };
}

/** @param {Failure} failure @returns {string} for example `公安 无应答` */
export function describeFailure(failure) {
  const what = codeLabel(failure.code);
  return failure.system === '' ? what : `${systemLabel(failure.system)} ${what}`;
}

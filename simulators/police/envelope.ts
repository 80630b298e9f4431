// The SOAP 1.1 envelopes of the case service, in and out, in GB18030.
import iconv from 'iconv-lite';
import type { WebAnswer } from '../web-server.ts';
import type { CaseRow, HandedOverCase } from './case.ts';
import { childOf, escapeXml, parseXml } from './xml.ts';

export interface QueryCaseBatch {
  /** JJDBHS */
  readonly receiptNos: readonly string[];
  /** CXYY */
  readonly reason: string;
}

export interface QueryCaseBatchResult {
  readonly RetCode: string;
  readonly RetMsg: string;
  readonly cases: readonly CaseRow[];
}

const CHARSET = 'gb18030';
const DECLARATION = '<?xml version="1.0" encoding="GB18030"?>';
const SOAP_NAMESPACE = 'http://schemas.xmlsoap.org/soap/envelope/';
const CASE_NAMESPACE = 'http://gs.police.gov.cn/case';

export type PoliceRequest =
  | ({ readonly kind: 'QueryCaseBatch' } & QueryCaseBatch)
  | ({ readonly kind: 'TakeOverCase' } & HandedOverCase)
  | { readonly kind: 'QueryTakeOver'; readonly serialNo: string }
  | { readonly kind: 'CountOpenCase'; readonly division: string };

/** Reads a request; throws SyntaxError with what is wrong, for the fault. */
export function decodeRequest(body: Buffer): PoliceRequest {
  const envelope = parseXml(iconv.decode(body, CHARSET));
  const operation = childOf(envelope, 'Body')?.children[0];
  if (envelope.name !== 'Envelope' || operation === undefined) throw new SyntaxError('没有SOAP信封');
  const request = childOf(operation, 'req');
  const text = (name: string) => childOf(request, name)?.text ?? '';
  switch (operation.name) {
    case 'QueryCaseBatch': {
      const numbers = childOf(request, 'JJDBHS')?.children.filter((child) => child.name === 'string') ?? [];
      return { kind: operation.name, receiptNos: numbers.map((number) => number.text), reason: text('CXYY') };
    }
    case 'TakeOverCase':
      return {
        kind: operation.name,
        serialNo: text('LSH'),
        title: text('AJMC'),
        content: text('AJNR') || null,
        division: text('QHDM'),
        place: text('FADD'),
        category: text('AJLB'),
      };
    case 'CountOpenCase':
      return { kind: operation.name, division: text('QHDM') };
    case 'QueryTakeOver':
      return { kind: operation.name, serialNo: text('LSH') };
    default:
      throw new SyntaxError(`没有这个操作：${operation.name}`);
  }
}

/** The answer of every operation but QueryCaseBatch. */
export function encodeFields(
  operation: 'TakeOverCase' | 'QueryTakeOver' | 'CountOpenCase',
  result: Readonly<Record<string, string | undefined>> & {
    readonly RetCode: string;
    readonly RetMsg: string;
  },
): WebAnswer {
  const fields = Object.entries(result).flatMap(([name, value]) =>
    value === undefined ? [] : [encodeField([name, value])],
  );
  return encodeAnswer(
    200,
    `<${operation}Response xmlns="${CASE_NAMESPACE}"><${operation}Result>${fields.join('')}</${operation}Result>` +
      `</${operation}Response>`,
  );
}

export function encodeResult(result: QueryCaseBatchResult): WebAnswer {
  const cases = result.cases
    .map((row) => `<Case>${Object.entries(row).map(encodeField).join('')}</Case>`)
    .join('');
  return encodeAnswer(
    200,
    `<QueryCaseBatchResponse xmlns="${CASE_NAMESPACE}"><QueryCaseBatchResult>` +
      `<RetCode>${result.RetCode}</RetCode><RetMsg>${escapeXml(result.RetMsg)}</RetMsg><Cases>${cases}</Cases>` +
      '</QueryCaseBatchResult></QueryCaseBatchResponse>',
  );
}

/** A fault goes with HTTP 500, as SOAP 1.1 section 6.2 demands. */
export function encodeFault(faultCode: 'Client' | 'Server', message: string): WebAnswer {
  return encodeAnswer(
    500,
    `<soap:Fault><faultcode>soap:${faultCode}</faultcode><faultstring>${escapeXml(message)}</faultstring></soap:Fault>`,
  );
}

/** What the garbage switch makes of an answer. */
export function garbleAnswer(answer: WebAnswer, wrongCharset: boolean): WebAnswer {
  if (wrongCharset) return { ...answer, body: Buffer.from(iconv.decode(answer.body, CHARSET), 'utf8') };
  return {
    ...answer,
    status: 200,
    body: iconv.encode('java.lang.NullPointerException: 空指针 <at', CHARSET),
  };
}

function encodeAnswer(status: number, content: string): WebAnswer {
  const text = `${DECLARATION}<soap:Envelope xmlns:soap="${SOAP_NAMESPACE}"><soap:Body>${content}</soap:Body></soap:Envelope>`;
  return {
    status,
    headers: { 'content-type': 'text/xml; charset=GB18030' },
    body: iconv.encode(text, CHARSET),
  };
}

function encodeField([name, value]: [string, string]): string {
  return `<${name}>${escapeXml(value)}</${name}>`;
}

// Old systems as the public contracts describe them: raw HTTP servers that keep what was sent and answer by hand.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Stub {
  readonly url: string;
  /** Method, path and body of every request. */
  readonly requests: {
    readonly line: string;
    readonly body: string;
    readonly authorization: string | undefined;
  }[];
  close(): Promise<void>;
}

export type StubAnswer = { readonly status?: number; readonly type: string; readonly body: string };

/** @param answer by the request's line, `GET /pets/1`, and its body; undefined is 404 */
export async function startStub(
  answer: (line: string, body: string) => StubAnswer | undefined,
): Promise<Stub> {
  const requests: Stub['requests'] = [];
  const server: Server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    const line = `${request.method} ${request.url}`;
    requests.push({ line, body, authorization: request.headers.authorization });
    const {
      status = 200,
      type,
      body: text,
    } = answer(line, body) ?? { status: 404, type: 'text/plain', body: 'no' };
    response.writeHead(status, { 'content-type': type }).end(text);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

export function json(value: unknown): StubAnswer {
  return { type: 'application/json', body: JSON.stringify(value) };
}

export function xml(body: string): StubAnswer {
  return { type: 'text/xml; charset=utf-8', body: `<?xml version="1.0" encoding="utf-8"?>${body}` };
}

/** The weather service: document style, a list of one, nested lists, times without an offset. */
export function weather(_line: string, body: string): StubAnswer {
  const envelope = (inner: string) =>
    xml(
      `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>${inner}</soap:Body></soap:Envelope>`,
    );
  if (body.includes('GetWeatherInformation'))
    return envelope(
      '<GetWeatherInformationResponse xmlns="http://ws.cdyne.com/WeatherWS/"><GetWeatherInformationResult><WeatherDescription><WeatherID>1</WeatherID><Description>Thunder &amp; Storms</Description></WeatherDescription></GetWeatherInformationResult></GetWeatherInformationResponse>',
    );
  return envelope(
    `<w:GetCityForecastByZIPResponse xmlns:w="http://ws.cdyne.com/WeatherWS/"><w:GetCityForecastByZIPResult><w:Success>true</w:Success><w:City>Suzhou</w:City><w:ForecastResult>${[
      1, 2,
    ]
      .map(
        (day) =>
          `<w:Forecast><w:Date>2026-11-2${day}T00:00:00</w:Date><w:WeatherID>${day}</w:WeatherID><w:Temperatures><w:MorningLow>${day}</w:MorningLow></w:Temperatures></w:Forecast>`,
      )
      .join('')}</w:ForecastResult></w:GetCityForecastByZIPResult></w:GetCityForecastByZIPResponse>`,
  );
}

/** The service of three namespaces: RPC, encoded, every value with its type as an attribute. */
export function syncNotify(_line: string, body: string): StubAnswer {
  const sequence = /<RecordSequenceID[^>]*>([^<]*)</.exec(body)?.[1] ?? '';
  return xml(
    `<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/"><soapenv:Body><ns1:eOrderRelationUpdateNotifyResponse xmlns:ns1="http://spclient.evac.ericsson.com" soapenv:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><eOrderRelationUpdateNotifyResponse xmlns:ns2="http://rsp.spclient.evac.ericsson.com" xsi:type="ns2:EOrderRelationUpdateNotifyRsp"><RecordSequenceID xsi:type="soapenc:string">${sequence}</RecordSequenceID></eOrderRelationUpdateNotifyResponse></ns1:eOrderRelationUpdateNotifyResponse></soapenv:Body></soapenv:Envelope>`,
  );
}

/** Repositories and their pull requests: objects within objects within lists. */
export function repositories(line: string): StubAnswer | undefined {
  const owner = { username: 'li', uuid: 'u-1' };
  const repository = { slug: 'weft', owner };
  const pullRequest = (id: number) => ({ id, title: `change ${id}`, repository, author: owner });
  if (line === 'GET /2.0/users/li') return json(owner);
  if (line === 'GET /2.0/repositories/li') return json([repository]);
  if (line === 'GET /2.0/repositories/li/weft/pullrequests?state=open')
    return json([pullRequest(1), pullRequest(2)]);
  return undefined;
}

/** The pet store: keys one by one, enums, numbers beyond 32 bits, a pet that is not there. */
export function pets(line: string): StubAnswer | undefined {
  const pet = (id: number) => ({
    id,
    name: `pet ${id}`,
    photoUrls: ['a'],
    tags: [{ id: 1, name: 't' }],
    status: 'sold',
  });
  const found = /^GET \/v2\/pet\/(\d+)$/.exec(line);
  if (found?.[1] === '404') return { status: 404, type: 'application/json', body: '{}' };
  if (found !== null) return json(pet(Number(found[1])));
  if (line === 'GET /v2/pet/findByStatus?status=sold') return json([pet(1), { ...pet(2), status: 'lost' }]);
  return undefined;
}

// A SOAP service described by a WSDL of both versions, for answers that a test writes by hand.
import type { Wire, WireAnswer, WireRequest } from './wire.ts';

export const NAMESPACES = {
  SOAP_11: 'http://schemas.xmlsoap.org/soap/envelope/',
  SOAP_12: 'http://www.w3.org/2003/05/soap-envelope',
} as const;
export type Version = keyof typeof NAMESPACES;

/** @param imports what stands in its schema before the elements, as `xsd:include` */
export function wsdl(versions: readonly Version[], imports = ''): string {
  const binding = (version: Version) => {
    const soap = version === 'SOAP_12' ? 'soap12' : 'soap';
    return `<wsdl:binding name="B${version}" type="tns:P"><${soap}:binding transport="http://schemas.xmlsoap.org/soap/http" style="document"/>
<wsdl:operation name="Find"><${soap}:operation soapAction="urn:case/Find" style="document"/><wsdl:input><${soap}:body use="literal"/></wsdl:input><wsdl:output><${soap}:body use="literal"/></wsdl:output></wsdl:operation></wsdl:binding>`;
  };
  const port = (version: Version) =>
    `<wsdl:port name="${version}" binding="tns:B${version}"><soap:address location="http://dead.example/case"/></wsdl:port>`;
  const types =
    imports === ''
      ? TYPES
      : `<xsd:schema targetNamespace="urn:case" elementFormDefault="qualified">${imports}</xsd:schema>`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<wsdl:definitions name="Case" targetNamespace="urn:case" xmlns:tns="urn:case" xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/" xmlns:xsd="http://www.w3.org/2001/XMLSchema">
<wsdl:types>${types}</wsdl:types>
<wsdl:message name="FindIn"><wsdl:part name="parameters" element="tns:Find"/></wsdl:message>
<wsdl:message name="FindOut"><wsdl:part name="parameters" element="tns:FindResponse"/></wsdl:message>
<wsdl:portType name="P"><wsdl:operation name="Find"><wsdl:input message="tns:FindIn"/><wsdl:output message="tns:FindOut"/></wsdl:operation></wsdl:portType>
${versions.map(binding).join('\n')}
<wsdl:service name="CaseService">${versions.map(port).join('')}</wsdl:service>
</wsdl:definitions>`;
}

/** The schema of the service, as a document of its own. */
export const TYPES = `<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:tns="urn:case" targetNamespace="urn:case" elementFormDefault="qualified">
<xsd:element name="Find"><xsd:complexType><xsd:sequence><xsd:element name="No" type="xsd:string" maxOccurs="unbounded"/><xsd:element name="Photo" type="xsd:base64Binary" minOccurs="0"/></xsd:sequence></xsd:complexType></xsd:element>
<xsd:element name="FindResponse"><xsd:complexType><xsd:sequence><xsd:element name="Case" type="tns:Case" minOccurs="0" maxOccurs="unbounded"/></xsd:sequence></xsd:complexType></xsd:element>
<xsd:complexType name="Case"><xsd:sequence><xsd:element name="No" type="xsd:string"/><xsd:element name="Photo" type="xsd:base64Binary" minOccurs="0"/></xsd:sequence></xsd:complexType>
</xsd:schema>`;

/** An SDL of one SOAP source, with what stands in its `soap` beside WSDL and endpoint, and in the call beside the input. */
export function soapSdl(soap: string, call = '', more = ''): string {
  return `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  @source(name: "case", ${more} soap: { wsdl: "contracts/Case.wsdl", endpoint: "{$env.CASE}/case?v=1", ${soap} }, guard: { timeout: "4s", retries: 0, breaker: { minCalls: 1000 } })
type Query { cases(no: ID, photo: String): [Case!] @connect(source: "case", soap: { operation: "Find", input: "No: $args.no Photo: $args.photo" ${call} }, select: "$.Case { id: No photo: Photo }") }
type Case { id: ID photo: String }
`;
}

/** An envelope, with a prefix that is not the usual one. */
export function envelope(version: Version, body: string, header = ''): string {
  const head = header === '' ? '' : `<e:Header>${header}</e:Header>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<e:Envelope xmlns:e="${NAMESPACES[version]}" xmlns:c="urn:case">${head}<e:Body>${body}</e:Body></e:Envelope>`;
}

export function found(...numbers: readonly string[]): string {
  return `<c:FindResponse>${numbers.map((no) => `<c:Case><c:No>${no}</c:No></c:Case>`).join('')}</c:FindResponse>`;
}

/** The last request's envelope as text. */
export function sentTo(wire: Wire): { readonly request: WireRequest; readonly xml: string } {
  const request = wire.requests.at(-1);
  if (request === undefined) throw new Error('nothing was sent');
  return { request, xml: request.body.toString('utf8') };
}

export function xmlAnswer(
  body: string | Buffer,
  status = 200,
  contentType = 'text/xml; charset=utf-8',
): WireAnswer {
  return { status, headers: { 'content-type': contentType }, body };
}

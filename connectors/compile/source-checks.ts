// Holds a call against what its source is: the format of its bodies, the operations of its contract.
import type { RestSource, SoapCall, SoapSource, SourcePlan } from '../plan.ts';
import { readContract } from '../soap/contract.ts';
import type { IssueList } from './build-issues.ts';
import type { ReadCall } from './calls.ts';
import type { Arguments } from './directive-arguments.ts';

/** @param connect the arguments of the `@connect`; call and source are of one protocol */
export function checkAgainstSource(
  connect: Arguments,
  source: SourcePlan,
  { call, mappings }: ReadCall,
  issues: IssueList,
): void {
  if (call.protocol === 'rest' && source.protocol === 'rest')
    checkXmlBody(
      connect,
      source,
      mappings.find(({ mapping }) => mapping === call.body),
      issues,
    );
  if (call.protocol === 'soap' && source.protocol === 'soap') checkOperation(connect, source, call, issues);
}

function checkXmlBody(
  connect: Arguments,
  source: RestSource,
  body: ReadCall['mappings'][number] | undefined,
  issues: IssueList,
): void {
  if (source.format !== 'XML' || body === undefined) return;
  const { shape } = body.mapping;
  if (shape.kind === 'object' && shape.fields.size === 1) return;
  const got = shape.kind === 'object' ? `${shape.fields.size} fields` : 'a value';
  const mend = 'write an object with one field, the root element: `Order: { No: $args.no }`';
  issues.add('SHAPE_MISMATCH', body.node ?? connect.node, `an XML body yields ${got}`, mend);
}

function checkOperation(connect: Arguments, source: SoapSource, call: SoapCall, issues: IssueList): void {
  const { operations } = readContract(source.wsdlFile);
  if (operations.length === 0 || operations.includes(call.operation)) return;
  const soap = connect.object('soap');
  const message = `the WSDL of '${source.name}' has no operation '${call.operation}'`;
  issues.add(
    'UNKNOWN_OPERATION',
    soap?.nodeOf('operation') ?? connect.node,
    message,
    `known are ${operations.join(', ')}`,
  );
}

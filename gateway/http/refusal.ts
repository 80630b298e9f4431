// A refusal whose status HTTP itself defines, before there is an operation.
import { HubError } from '@weft/core/errors';

/** Its code is BAD_USER_INPUT; `headers` go with the answer. */
export class HttpRefusal extends HubError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super('BAD_USER_INPUT', message);
    this.status = status;
    this.headers = headers;
  }
}

// A refusal whose HTTP status says more than its code.
import { HubError, type HubErrorOptions } from '@weft/core/errors';

/** `status` goes with the answer in the place of that of the code. */
export class AttachmentRefusal extends HubError {
  readonly status: number;
  constructor(status: number, message: string, details: HubErrorOptions['details'] = {}) {
    super('BAD_USER_INPUT', message, { details });
    this.status = status;
  }
}

/** Of bytes that are of no type that is taken. */
export function unsupported(): AttachmentRefusal {
  return new AttachmentRefusal(
    415,
    'expected JPEG, PNG, WebP, HEIC, MP4, PDF, DOCX, XLSX or plain text in UTF-8, by the bytes and not by a name',
    { reason: 'TYPE' },
  );
}

/** Of bytes that begin as a type that is taken, and are not whole, or hold what is not taken. */
export function damaged(problem: string): AttachmentRefusal {
  return new AttachmentRefusal(422, problem, { reason: 'CONTENT' });
}

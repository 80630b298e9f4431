// How long the parts of a report may be, and what a division's code looks like.

/** Characters, as the others. */
export const TITLE_LENGTH_MAX = 500;
export const DESCRIPTION_LENGTH_MAX = 20_000;
export const ADDRESS_LENGTH_MAX = 500;
/** Of a code, a kind or a number. */
export const CODE_LENGTH_MAX = 64;
export const NAME_LENGTH_MAX = 100;
export const CONTACT_LENGTH_MAX = 200;
/** Of one report. */
export const REPORTERS_MAX = 10;
/** Of one report. */
export const EXTERNAL_NUMBERS_MAX = 20;

/** Also keeps the wildcards of LIKE out of the filter by division. */
export function isDivisionCode(value: string): boolean {
  return /^[0-9A-Za-z-]{1,32}$/.test(value);
}

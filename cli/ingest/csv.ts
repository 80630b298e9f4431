// Cells of CSV that a person opens in a spreadsheet.

/** What a spreadsheet takes for the beginning of a formula: OWASP, CSV Injection. */
const FORMULA = /^[=+\-@\t\r\n]/;

/**
 * A row of RFC 4180. Old systems choose the text, and a spreadsheet would calculate it: what looks like a formula gets `'`
 * before it, and quotes around it.
 */
export function csvRow(cells: readonly (string | number | null)[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

function csvCell(value: string | number | null): string {
  if (value === null || typeof value === 'number') return String(value ?? '');
  const isFormula = FORMULA.test(value);
  const text = isFormula ? `'${value}` : value;
  return isFormula || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

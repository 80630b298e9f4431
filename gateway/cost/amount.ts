// A number that may depend on an operation's variables: constants are folded, so that most operations cost nothing to estimate.

export type VariableValues = Readonly<Record<string, unknown>>;

/** Called without variables it gives the least that any could make of it. */
export type Amount = number | ((variables: VariableValues | undefined) => number);

export function resolveAmount(amount: Amount, variables: VariableValues | undefined): number {
  return typeof amount === 'number' ? amount : amount(variables);
}

export function add(amounts: readonly Amount[]): Amount {
  const variable = amounts.filter((amount) => typeof amount === 'function');
  const constant = amounts.reduce<number>(
    (sum, amount) => sum + (typeof amount === 'number' ? amount : 0),
    0,
  );
  if (variable.length === 0) return constant;
  return (variables) => variable.reduce((sum, amount) => sum + amount(variables), constant);
}

export function multiply(one: Amount, other: Amount): Amount {
  if (typeof one === 'number' && typeof other === 'number') return one * other;
  return (variables) => resolveAmount(one, variables) * resolveAmount(other, variables);
}

export function greatest(amounts: readonly Amount[]): Amount {
  if (amounts.every((amount) => typeof amount === 'number')) return Math.max(0, ...amounts);
  return (variables) => Math.max(0, ...amounts.map((amount) => resolveAmount(amount, variables)));
}

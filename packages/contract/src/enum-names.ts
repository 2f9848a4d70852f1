/** A name of an enum's values, without the first value, which stands for none: `EnumName<typeof Role>`. */
export type EnumName<E> = Exclude<keyof E & string, `${string}UNSPECIFIED`>;

/**
 * Names of the values of an enum, without the first value, which stands for none. Enum and union are then compared by the
 * compiler: a value that only the contract has is a type error where its name is used.
 *
 * @example
 * ```ts
 * const roleOf = enumNames(Role);
 * roleOf(Role.ISSUER); // 'ISSUER'
 * ```
 *
 * @returns a function from a number to its name. The number is a value of the enum, as the rule `defined_only` promises.
 */
export function enumNames<E extends Readonly<Record<string, number>>>(
  values: E,
): (value: number) => EnumName<E> {
  const names = new Map(Object.entries(values).map(([name, value]) => [value, name]));
  return (value) => names.get(value) as EnumName<E>;
}

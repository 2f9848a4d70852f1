import type { DescMethod, DescService } from '@bufbuild/protobuf';
import { methodName } from '../codec/codec.ts';

/** Rows of all methods of all services. A method without a row is a type error. */
export type MethodRows<Services extends Record<string, DescService>, Row> = {
  readonly [S in keyof Services]: { readonly [M in keyof Services[S]['method']]: Row };
};

/** Properties of each RPC of an application, such as the role that may call it. */
export interface MethodsTable<Row> {
  /** Gets the row of a method. Throws TypeError if it has none. */
  row(method: DescMethod): Row;
  /** Lists all rows by `pkg.Service/Method`. */
  entries(): IterableIterator<[name: string, row: Row]>;
}

/**
 * Creates a table with one row for each method of each service. The type of `rows` requires all of them. They are checked at
 * run time too, for casts, plain JavaScript and newer contracts.
 *
 * @throws {TypeError} that names each RPC without a row and each row without an RPC.
 */
export function defineMethods<Services extends Record<string, DescService>, Row>(
  services: Services,
  rows: MethodRows<Services, Row>,
): MethodsTable<Row> {
  const given: Record<string, Record<string, Row> | undefined> = rows;
  const table = new Map<string, Row>();
  const strays: string[] = Object.keys(given).filter((key) => !Object.hasOwn(services, key));
  for (const [key, service] of Object.entries(services)) {
    const ofService = new Map(Object.entries(given[key] ?? {}));
    for (const method of service.methods) {
      const row = ofService.get(method.localName);
      if (row !== undefined) table.set(methodName(method), row);
      ofService.delete(method.localName);
    }
    for (const stray of ofService.keys()) strays.push(`${service.typeName}/${stray}`);
  }
  // Used on every call: by descriptor, so that no name is built.
  const byMethod = new Map<DescMethod, Row | undefined>(
    Object.values(services).flatMap(({ methods }) =>
      methods.map((method) => [method, table.get(methodName(method))]),
    ),
  );
  const result: MethodsTable<Row> = {
    row(method) {
      const row = byMethod.get(method) ?? table.get(methodName(method));
      if (row === undefined) throw new TypeError(`no row for ${methodName(method)}`);
      return row;
    },
    entries: () => table.entries(),
  };
  assertSameMethods(Object.values(services), table, strays);
  return result;
}

/**
 * Checks that the table has a row for every RPC of these services and no other row. Call it at start with the registered
 * services.
 *
 * @throws {TypeError} that names each missing and each superfluous row.
 */
export function assertEveryMethodHasRow(services: Iterable<DescService>, table: MethodsTable<unknown>): void {
  assertSameMethods(services, new Map(table.entries()), []);
}

function assertSameMethods(
  services: Iterable<DescService>,
  table: ReadonlyMap<string, unknown>,
  strays: readonly string[],
): void {
  const rpcs = new Set([...services].flatMap((service) => service.methods.map(methodName)));
  const missing = [...rpcs].filter((name) => !table.has(name));
  const tooMany = [...[...table.keys()].filter((name) => !rpcs.has(name)), ...strays];
  const flaws = [
    ...missing.map((name) => `no row for ${name}`),
    ...tooMany.map((name) => `no RPC for row ${name}`),
  ];
  if (flaws.length > 0) throw new TypeError(`methods table: ${flaws.join('; ')}`);
}

import type { DescMethod, DescService } from '@bufbuild/protobuf';
import { methodName } from '../codec/codec.ts';

/** A row for each method of each service; a method without one is a type error. */
export type MethodRows<Services extends Record<string, DescService>, Row> = {
  readonly [S in keyof Services]: { readonly [M in keyof Services[S]['method']]: Row };
};

/** What an application says about each of its RPCs, such as who may call it. */
export interface MethodsTable<Row> {
  /** The row of a method. Throws TypeError when it has none: no row means no service. */
  row(method: DescMethod): Row;
  /** All rows by `pkg.Service/Method`. */
  entries(): IterableIterator<[name: string, row: Row]>;
}

/**
 * Makes a table of rows, one for each method of each service. The type of `rows` demands all of them; what types cannot
 * see (a cast, plain JavaScript, a newer contract) is checked here and throws TypeError naming each RPC without a row
 * and each row without an RPC.
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
  // Asked on every call: by the descriptor itself, without making its name.
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
 * Throws TypeError unless the table has a row for every RPC of these services and for nothing else, naming each that is
 * missing or too much. Called at start with the services that are served.
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

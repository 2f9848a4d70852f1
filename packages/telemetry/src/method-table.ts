import type { Attributes, SpanKind } from '@opentelemetry/api';
import {
  ATTR_ERROR_TYPE,
  ATTR_RPC_METHOD,
  ATTR_RPC_STATUS_CODE,
  ATTR_RPC_SYSTEM_NAME,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  METHOD_OTHER,
  RPC_SYSTEM_GRPC,
} from './names.ts';
import { STATUS_NAMES } from './rpc-status.ts';

const MAX_METHODS = 256;

/** Record of a call of one method that ends with one status. */
export interface Outcome {
  readonly statusName: string;
  readonly isFault: boolean;
  /** Labels of the point in the histogram; the same object for every such call, which cannot be changed. */
  readonly labels: Attributes;
}

/** Properties of one method, the same for all its calls. */
export interface MethodRow {
  readonly spanName: string;
  readonly spanOptions: { readonly kind: SpanKind; readonly attributes: Attributes };
  readonly outcomes: readonly Outcome[];
}

/** Options of {@link createMethodTable}. */
export interface MethodTableOptions {
  readonly kind: SpanKind;
  readonly isFault: (code: number) => boolean;
  readonly serverAddress?: string | undefined;
  readonly serverPort?: number | undefined;
}

/**
 * Creates a lookup from method name to {@link MethodRow}, filled on first use, so that a call allocates no attributes. After
 * 256 methods all others share the row `_OTHER`, so clients cannot increase memory or the number of time series.
 */
export function createMethodTable(options: MethodTableOptions): (methodName: string) => MethodRow {
  const rows = new Map<string, MethodRow>();
  const other = createRow(METHOD_OTHER, options);
  return (methodName) => {
    const known = rows.get(methodName);
    if (known !== undefined) return known;
    if (rows.size >= MAX_METHODS) return other;
    const row = createRow(methodName, options);
    rows.set(methodName, row);
    return row;
  };
}

function createRow(method: string, options: MethodTableOptions): MethodRow {
  const common = { [ATTR_RPC_SYSTEM_NAME]: RPC_SYSTEM_GRPC, [ATTR_RPC_METHOD]: method };
  const attributes: Attributes = { ...common };
  if (options.serverAddress !== undefined) attributes[ATTR_SERVER_ADDRESS] = options.serverAddress;
  if (options.serverPort !== undefined) attributes[ATTR_SERVER_PORT] = options.serverPort;
  return {
    spanName: method,
    spanOptions: { kind: options.kind, attributes },
    outcomes: STATUS_NAMES.map((statusName, code) => {
      const isFault = options.isFault(code);
      const labels: Attributes = { ...common, [ATTR_RPC_STATUS_CODE]: statusName };
      if (isFault) labels[ATTR_ERROR_TYPE] = statusName;
      return { statusName, isFault, labels: Object.freeze(labels) };
    }),
  };
}

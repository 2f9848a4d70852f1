import {
  readAttributes,
  readObject,
  readObjects,
  readText,
  type Attributes,
  type JsonObject,
} from './json-reader.ts';

/** Origin of a span or metric. */
export interface Origin {
  /** Attributes of the process, such as `service.name`. */
  readonly resource: Attributes;
  /** Instrumentation scope. */
  readonly scope: { readonly name: string; readonly version: string };
}

/** Names of the three levels of nesting of a signal in OTLP. */
export interface Nesting {
  readonly resources: string;
  readonly scopes: string;
  readonly items: string;
}

/** Flattens an export request to its items with their origin, in order. */
export function* flatten(request: JsonObject, nesting: Nesting): Generator<[JsonObject, Origin]> {
  for (const ofResource of readObjects(request[nesting.resources])) {
    const resource = readAttributes(readObject(ofResource['resource'])['attributes']);
    for (const ofScope of readObjects(ofResource[nesting.scopes])) {
      const scope = readObject(ofScope['scope']);
      const origin: Origin = {
        resource,
        scope: { name: readText(scope['name']), version: readText(scope['version']) },
      };
      for (const item of readObjects(ofScope[nesting.items])) yield [item, origin];
    }
  }
}

import {
  readAttributes,
  readObject,
  readObjects,
  readText,
  type Attributes,
  type JsonObject,
} from './json-reader.ts';

/** Where a span, metric or log record comes from. */
export interface Origin {
  /** Attributes of the process, `service.name` among them. */
  readonly resource: Attributes;
  /** The library that made it. */
  readonly scope: { readonly name: string; readonly version: string };
}

/** The three names under which one signal is nested in OTLP. */
export interface Nesting {
  readonly resources: string;
  readonly scopes: string;
  readonly items: string;
}

/** Takes the nesting of an export request apart: every item, with where it comes from, in order. */
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

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = Readonly<Record<string, Json>>;

/** Who asks, and how: what conditions may ask for besides the resource. `request.time` is UTC, ISO 8601. */
export interface Asking {
  readonly principal: JsonObject;
  readonly request: JsonObject;
}

/** Everything that a condition may ask for: `principal.…`, `resource.…`, `request.…`. */
export interface Attributes extends Asking {
  readonly resource: JsonObject;
}

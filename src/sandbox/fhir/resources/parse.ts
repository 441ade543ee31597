/** Looks into JSON of unknown shape without trusting it: what is not there is empty. */
import type { Json, JsonObject } from '../resource.ts';

/** The value as an array: itself, or empty. */
export function asArray(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

/** The value as an object: itself, or empty. */
export function asObject(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : {};
}

/** The value when it is a text that is not empty. */
export function asString(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Finds its way through the schema: what is expected at a path, which values there are. */
import { z } from 'zod';

import type { ConfigPath } from './path.ts';
import { configSchema } from './schema.ts';

/** What the schema says about the value at a path. */
export interface SchemaNote {
  description?: string;
  /** What a good value looks like: the first of `examples`, else the default. */
  example?: unknown;
  /** Value that stands in when none is given; undefined without one. */
  fallback?: unknown;
  /** Whether leaving it out is a problem. */
  isRequired: boolean;
}

/** The schema of the value at a path, without `optional` and `default`; undefined for unknown paths. */
export function schemaAt(path: ConfigPath): z.core.$ZodTypes | undefined {
  return layersAt(path)?.at(-1);
}

/** Keys that an object at this path may have. */
export function keysAt(path: ConfigPath): string[] {
  const def = objectDefOf(schemaAt(path));
  return def === undefined ? [] : Object.keys(def.shape);
}

/** What the schema says about the value at a path. */
export function noteAt(path: ConfigPath): SchemaNote {
  const note: SchemaNote = { isRequired: true };
  for (const layer of layersAt(path) ?? []) {
    const { description, examples } = z.globalRegistry.get(layer) ?? {};
    if (description !== undefined) note.description ??= description;
    if (Array.isArray(examples)) note.example ??= examples[0];
    const { def } = layer._zod;
    if (def.type === 'default' || def.type === 'prefault') note.fallback ??= def.defaultValue;
    if (def.type === 'default' || def.type === 'prefault' || def.type === 'optional') {
      note.isRequired = false;
    }
  }
  const isEmptyList = Array.isArray(note.fallback) && note.fallback.length === 0;
  if (!isEmptyList) note.example ??= note.fallback;
  return note;
}

/** Paths of every value that is no object, in the order of the schema; those of routes in the first route. */
export function valuePaths(path: ConfigPath = []): ConfigPath[] {
  const def = schemaAt(path)?._zod.def;
  const members = keysAt(path).flatMap((key) => valuePaths([...path, key]));
  if (def?.type === 'object') return members;
  // A word, or an object in its place.
  if (def?.type === 'union') return [path, ...members];
  if (def?.type === 'array' && schemaAt([...path, 0])?._zod.def.type === 'object') {
    return valuePaths([...path, 0]);
  }
  return [path];
}

/**
 * Turns text into the type that the schema has at a path: numbers, true and false (also 1/0,
 * yes/no, on/off), lists separated by spaces or commas. Text that does not fit stays text, so that
 * the schema refuses it.
 */
export function valueFromText(path: ConfigPath, text: string): unknown {
  const trimmed = text.trim();
  switch (schemaAt(path)?._zod.def.type) {
    case 'number':
      return /^-?\d+(?:\.\d+)?$/.test(trimmed) ? Number(trimmed) : text;
    case 'boolean':
      if (/^(?:true|1|yes|on)$/i.test(trimmed)) return true;
      return /^(?:false|0|no|off)$/i.test(trimmed) ? false : text;
    case 'array':
      return trimmed.split(/[\s,]+/).filter((entry) => entry !== '');
    default:
      return text;
  }
}

/** The schema at a path with what it is wrapped in, outermost first. */
function layersAt(path: ConfigPath): z.core.$ZodTypes[] | undefined {
  let layers = layersOf(configSchema);
  for (const step of path) {
    const def: z.core.$ZodTypes['_zod']['def'] | undefined = layers.at(-1)?._zod.def;
    const next: z.core.$ZodType | undefined =
      def?.type === 'array' ? def.element : objectDefOf(layers.at(-1))?.shape[step];
    if (next === undefined) return undefined;
    layers = layersOf(next);
  }
  return layers;
}

/** The object that a value is, or may be besides other things. */
function objectDefOf(schema: z.core.$ZodType | undefined): z.core.$ZodObjectDef | undefined {
  const def = (schema as z.core.$ZodTypes | undefined)?._zod.def;
  if (def?.type === 'object') return def;
  if (def?.type !== 'union') return undefined;
  return def.options.map(objectDefOf).find((found) => found !== undefined);
}

function layersOf(schema: z.core.$ZodType): z.core.$ZodTypes[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return 'innerType' in def
    ? [schema as z.core.$ZodTypes, ...layersOf(def.innerType)]
    : [schema as z.core.$ZodTypes];
}

/**
 * The published JSON Schema of the suite language, made from the zod schema, for editors and other tools.
 */
import { z } from 'zod';
import { suiteSchema } from './schema.ts';

/** As much of JSON Schema as the suite's has. */
export interface JsonSchema {
  [keyword: string]: unknown;
  type?: string;
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  pattern?: string;
  examples?: unknown[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  additionalProperties?: JsonSchema | boolean;
}

const SCHEMA_ID = 'https://hollowmark.dev/schemas/suite-v1.json';
const PARAMETER_REFERENCE = '\\$\\{\\s*parameters\\.[A-Za-z0-9_-]+\\s*\\}';

let cached: JsonSchema | undefined;

/** The schema of what users write, before references to parameters are allowed for. */
export function inputSchema(): JsonSchema {
  cached ??= withExamples(z.toJSONSchema(suiteSchema, { io: 'input', unrepresentable: 'any' })) as JsonSchema;
  return cached;
}

// zod takes `examples` off everything it transforms, as examples of the output; ours are of the input, under a name
// of their own until here.
function withExamples(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withExamples);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [
      key === 'inputExamples' ? 'examples' : key,
      withExamples(child),
    ]),
  );
}

/** The published schema: as inputSchema, with `${parameters.NAME}` allowed wherever a single value stands. */
export function publishedSchema(): JsonSchema {
  const { $schema, ...rest } = inputSchema();
  return { $schema, $id: SCHEMA_ID, title: 'hollowmark suite', ...withReferences(rest, []) };
}

// The head of the file and the parameters themselves are read before references are.
const PLAIN_PATHS = new Set(['apiVersion', 'kind', 'parameters']);

function withReferences(schema: JsonSchema, path: readonly string[]): JsonSchema {
  if (path.length === 1 && PLAIN_PATHS.has(path[0] ?? '')) return schema;
  // What tells kinds of actions apart cannot be a reference.
  if (schema.const !== undefined) return schema;
  const mapped: JsonSchema = { ...schema };
  if (schema.properties !== undefined)
    mapped.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([key, child]) => [key, withReferences(child, [...path, key])]),
    );
  if (schema.items !== undefined) mapped.items = withReferences(schema.items, [...path, '[]']);
  if (typeof schema.additionalProperties === 'object')
    mapped.additionalProperties = withReferences(schema.additionalProperties, [...path, '*']);
  if (schema.type === 'object' || schema.type === 'array') return mapped;
  if (schema.oneOf !== undefined)
    return { ...mapped, oneOf: schema.oneOf.map((one) => withReferences(one, path)) };
  if (schema.anyOf !== undefined)
    return {
      ...mapped,
      anyOf: [
        ...schema.anyOf.map((form) => (form.type === 'object' ? withReferences(form, path) : form)),
        { type: 'string', pattern: PARAMETER_REFERENCE },
      ],
    };
  if (schema.type === 'string' && schema.enum === undefined)
    return schema.pattern === undefined
      ? mapped
      : { ...mapped, pattern: `(${schema.pattern})|(${PARAMETER_REFERENCE})` };
  return Object.keys(schema).length === 0 || (schema.type === undefined && schema.enum === undefined)
    ? mapped
    : withAlternative(mapped);
}

// Annotations stay outside, so that editors show them whichever form is written.
function withAlternative(schema: JsonSchema): JsonSchema {
  const { title, description, default: fallback, examples, ...form } = schema;
  return {
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description }),
    ...(fallback === undefined ? {} : { default: fallback }),
    ...(examples === undefined ? {} : { examples }),
    anyOf: [form, { type: 'string', pattern: PARAMETER_REFERENCE }],
  };
}

/** The schema of the mapping at `path` of a suite whose plain value is `root`; undefined where there is none. */
export function schemaAt(root: unknown, path: readonly (string | number)[]): JsonSchema | undefined {
  let schema: JsonSchema | undefined = inputSchema();
  let value: unknown = root;
  for (const segment of path) {
    if (schema === undefined) return undefined;
    if (typeof segment === 'number') {
      schema = schema.items;
      value = Array.isArray(value) ? value[segment] : undefined;
    } else {
      const additional: JsonSchema | boolean | undefined = schema.additionalProperties;
      schema = schema.properties?.[segment] ?? (typeof additional === 'object' ? additional : undefined);
      value =
        typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[segment] : undefined;
    }
    schema = chooseBranch(schema, value);
  }
  return schema;
}

/** A value that `schema` accepts, the most harmless one: what stands in for a refused value while the rest is checked. */
export function acceptedValue(schema: JsonSchema): unknown {
  if (schema.default !== undefined) return structuredClone(schema.default);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.oneOf?.[0] !== undefined && schema.properties === undefined)
    return acceptedValue(schema.oneOf[0]);
  if (schema.examples !== undefined) return structuredClone(schema.examples.at(-1));
  if (schema.type === 'array') return schema.items === undefined ? [] : [acceptedValue(schema.items)];
  if (schema.type === 'object')
    return Object.fromEntries(
      (schema.required ?? []).map((key) => [key, acceptedValue(schema.properties?.[key] ?? {})]),
    );
  // Plenty of nodes make every suite fit.
  return schema['maximum'] ?? 'x';
}

// Kinds of actions are told apart by the constant in their `action`; mappings from texts by being mappings.
function chooseBranch(schema: JsonSchema | undefined, value: unknown): JsonSchema | undefined {
  if (schema?.anyOf !== undefined && typeof value === 'object' && value !== null)
    return schema.anyOf.find((form) => form.type === 'object') ?? schema;
  if (schema?.oneOf === undefined || schema.properties !== undefined) return schema;
  const action = typeof value === 'object' && value !== null && 'action' in value ? value.action : undefined;
  return schema.oneOf.find((branch) => branch.properties?.['action']?.const === action);
}

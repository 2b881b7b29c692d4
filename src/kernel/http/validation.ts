import { Ajv, type Options } from 'ajv';
import formats from 'ajv-formats';
import type { FastifySchema, FastifySchemaCompiler } from 'fastify';

/**
 * Ajv for requests. Query strings and path parameters arrive as text and are coerced; bodies are taken as they stand.
 * Nothing unknown is dropped in silence: what a schema does not name is refused (Fastify's default would remove it).
 */
const COMMON: Options = {
  removeAdditional: false,
  useDefaults: true,
  allErrors: false,
  strict: true,
  strictTuples: false,
  allowUnionTypes: true,
};

export function requestValidator(): FastifySchemaCompiler<FastifySchema> {
  const ofText = withFormats(new Ajv({ ...COMMON, coerceTypes: 'array' }));
  const ofBody = withFormats(new Ajv({ ...COMMON, coerceTypes: false }));
  return ({ schema, httpPart }) => {
    if (httpPart === 'body') return ofBody.compile(schema) as ReturnType<FastifySchemaCompiler<FastifySchema>>;
    // They are described for whoever reads the docs, and judged where they are used, in words of their own.
    if (httpPart === 'headers') return () => true;
    const validate = ofText.compile(schema);
    // Ajv takes the text "-Infinity" for a number, below any minimum, and lets it pass.
    const judge = (data: unknown) => {
      if (!validate(data)) return { error: validate.errors };
      const endless = Object.entries(data as object).find(([, value]) => value === Infinity || value === -Infinity);
      if (!endless) return { value: data };
      return { error: [{ instancePath: `/${endless[0]}`, keyword: 'type', params: {}, message: 'must be a number' }] };
    };
    return judge as ReturnType<FastifySchemaCompiler<FastifySchema>>;
  };
}

/** As PostgreSQL and people write it. The package lets a `urn:uuid:` in front pass, which PostgreSQL does not. */
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

function withFormats(ajv: Ajv): Ajv {
  // The package is CommonJS: its function stands under `default` for an importer of its types.
  (formats as unknown as (ajv: Ajv) => void)(ajv);
  ajv.addFormat('uuid', UUID);
  return ajv;
}

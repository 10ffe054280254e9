import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { parse, parseAllDocuments } from 'yaml';

/*
 * Validates Kubernetes manifests against the schemas of the API. Unknown fields are rejected, as by
 * `kubectl apply --validate=strict`. Exits with 1 if any manifest is invalid.
 *
 *   node validate-manifests.ts SWAGGER CRD,… FILE…
 *
 * SWAGGER is api/openapi-spec/swagger.json of Kubernetes, each CRD the definition of a custom
 * resource.
 */

type Schema = Readonly<Record<string, unknown>>;

interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

/** Go's flag for a case-insensitive pattern, which JavaScript does not support. */
function hasGoFlag(key: string, value: unknown): boolean {
  return key === 'pattern' && typeof value === 'string' && value.includes('(?i)');
}

const OPEN = 'x-kubernetes-preserve-unknown-fields';

/** Closes objects with properties, and allows integers and strings where Kubernetes allows both. */
function closeSchema(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closeSchema);
  if (typeof value !== 'object' || value === null) return value;
  const schema = value as Schema;
  if (schema['format'] === 'int-or-string' || schema['x-kubernetes-int-or-string'] === true)
    return { type: ['integer', 'string'] };
  const entries = Object.entries(schema).filter(([key, item]) => !hasGoFlag(key, item));
  const mapped = Object.fromEntries(entries.map(([key, item]) => [key, closeSchema(item)]));
  const isClosed =
    typeof schema['properties'] === 'object' && schema[OPEN] !== true && !('additionalProperties' in schema);
  return isClosed && schema['type'] === 'object' ? { ...mapped, additionalProperties: false } : mapped;
}

const [swaggerFile = '', crdFiles = '', ...files] = process.argv.slice(2);
const { definitions } = closeSchema(JSON.parse(readFileSync(swaggerFile, 'utf8'))) as {
  definitions: Record<string, Schema>;
};
const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
ajv.addSchema({ $id: 'kubernetes', definitions });

function nameOf(apiVersion: string, kind: string): string {
  return `${apiVersion} ${kind}`;
}
const schemas = new Map<string, Schema>();
for (const [name, definition] of Object.entries(definitions)) {
  const kinds = definition['x-kubernetes-group-version-kind'] as readonly Kind[] | undefined;
  for (const { group, version, kind } of kinds ?? [])
    schemas.set(nameOf(group === '' ? version : `${group}/${version}`, kind), {
      $ref: `kubernetes#/definitions/${name}`,
    });
}
for (const file of crdFiles.split(',')) {
  const { spec } = parse(readFileSync(file, 'utf8'));
  for (const { name, schema } of spec.versions) {
    const { properties, ...rest } = closeSchema(schema.openAPIV3Schema) as { properties: Schema };
    const metadata = { $ref: 'kubernetes#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' };
    schemas.set(nameOf(`${spec.group}/${name}`, spec.names.kind), {
      ...rest,
      properties: { ...properties, metadata },
    });
  }
}

/** Errors of one object, one line each. */
function problemsOf(manifest: Manifest): string[] {
  const schema = schemas.get(nameOf(manifest.apiVersion, manifest.kind));
  if (schema === undefined) return [`unknown kind ${manifest.apiVersion} ${manifest.kind}`];
  const validate = ajv.compile(schema);
  if (validate(manifest)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message = '', params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}

for (const file of files) {
  const documents = parseAllDocuments(readFileSync(file, 'utf8'));
  if (!Array.isArray(documents)) throw new Error(`${file} is empty`);
  const manifests = documents.map((document): Manifest => {
    if (document.errors.length > 0) throw new Error(`${file}: ${document.errors[0]?.message}`);
    return document.toJS();
  });
  const objects = manifests.filter((manifest) => manifest !== null);
  for (const manifest of objects) {
    for (const problem of problemsOf(manifest)) {
      console.error(`${file}: ${manifest.kind} ${manifest.metadata.name}: ${problem}`);
      process.exitCode = 1;
    }
  }
  console.log(`${file}: ${objects.length} objects: ${objects.map(({ kind }) => kind).join(', ')}`);
}

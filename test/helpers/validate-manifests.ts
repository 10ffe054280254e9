import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { parse, parseAllDocuments } from 'yaml';

/**
 * Holds Kubernetes manifests against the schemas of the API, strictly: an unknown field is refused, as `kubectl apply --validate=strict` does.
 *
 *   node validate-manifests.ts SWAGGER CRD_FOLDER FILE…
 *
 * SWAGGER is api/openapi-spec/swagger.json of Kubernetes, CRD_FOLDER has the Prometheus operator's. Exit code 1 if anything is wrong.
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

/** Go's way of writing a pattern without case, which JavaScript does not read. */
const hasGoFlag = (key: string, value: unknown): boolean =>
  key === 'pattern' && typeof value === 'string' && value.includes('(?i)');

const OPEN = 'x-kubernetes-preserve-unknown-fields';

/** Objects with properties take no others; a number or a text where Kubernetes takes both. */
const strict = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(strict);
  if (typeof value !== 'object' || value === null) return value;
  const schema = value as Schema;
  if (schema['format'] === 'int-or-string' || schema['x-kubernetes-int-or-string'] === true)
    return { type: ['integer', 'string'] };
  const entries = Object.entries(schema).filter(([key, item]) => !hasGoFlag(key, item));
  const mapped = Object.fromEntries(entries.map(([key, item]) => [key, strict(item)]));
  const isClosed =
    typeof schema['properties'] === 'object' && schema[OPEN] !== true && !('additionalProperties' in schema);
  return isClosed && schema['type'] === 'object' ? { ...mapped, additionalProperties: false } : mapped;
};

const [swaggerFile = '', crdFolder = '', ...files] = process.argv.slice(2);
const { definitions } = strict(JSON.parse(readFileSync(swaggerFile, 'utf8'))) as {
  definitions: Record<string, Schema>;
};
const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
ajv.addSchema({ $id: 'kubernetes', definitions });

const nameOf = (apiVersion: string, kind: string): string => `${apiVersion} ${kind}`;
const known = new Map<string, Schema>();
for (const [name, definition] of Object.entries(definitions)) {
  const kinds = definition['x-kubernetes-group-version-kind'] as readonly Kind[] | undefined;
  for (const { group, version, kind } of kinds ?? [])
    known.set(nameOf(group === '' ? version : `${group}/${version}`, kind), {
      $ref: `kubernetes#/definitions/${name}`,
    });
}
for (const plural of ['servicemonitors', 'prometheusrules']) {
  const { spec } = parse(readFileSync(`${crdFolder}/monitoring.coreos.com_${plural}.yaml`, 'utf8'));
  for (const { name, schema } of spec.versions) {
    const { properties, ...rest } = strict(schema.openAPIV3Schema) as { properties: Schema };
    const metadata = { $ref: 'kubernetes#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' };
    known.set(nameOf(`${spec.group}/${name}`, spec.names.kind), {
      ...rest,
      properties: { ...properties, metadata },
    });
  }
}

/** What is wrong with one object, one line for each. */
const problemsOf = (manifest: Manifest): string[] => {
  const schema = known.get(nameOf(manifest.apiVersion, manifest.kind));
  if (schema === undefined) return [`there is no ${manifest.apiVersion} ${manifest.kind}`];
  const validate = ajv.compile(schema);
  if (validate(manifest)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message = '', params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
};

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

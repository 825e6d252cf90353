#!/usr/bin/env node
// Makes resource-specification.br, the slim resource specification that is embedded in Inferloop.Templates.
//   node import-specification.mjs            installs @aws-cdk/aws-service-spec in a temporary folder and converts it
//   node import-specification.mjs DB.json.gz converts a database that is already here
//
// The output is one line of JSON per resource type, sorted by type, after one header line; Brotli-compressed. A line:
//   {"t": type, "p": properties, "a": attributes, "d": [properties of nested types], "n": [names of nested types],
//    "i": primary identifier, "r": what Ref gives (when not the identifier), "g": name of the tags property, "x": extra replacement paths, "s": 1 when stateful}
// A property is a string, or [string, allowed values]. The string is flags and a type:
//   flags  ! required   * replacement   ? perhaps replacement   ~ deprecated
//   types  s string  i integer  n number  b boolean  j JSON  d date-time  t tag  [T list  {T map  #k nested type k  (T,T) one of several
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gunzipSync } from 'node:zlib';

const here = dirname(fileURLToPath(import.meta.url));
let version = 'local';

function database() {
  if (process.argv[2]) return readFileSync(process.argv[2]);
  const folder = mkdtempSync(join(tmpdir(), 'service-spec-'));
  try {
    execFileSync('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', '@aws-cdk/aws-service-spec'], { stdio: ['ignore', 'ignore', 'inherit'] });
    const root = join(folder, 'node_modules/@aws-cdk/aws-service-spec');
    version = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
    return readFileSync(join(root, 'db.json.gz'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const schema = JSON.parse(gunzipSync(database()).toString('utf8')).schema;
// A reference names an entity's $id, which is not its key.
const definitions = Object.fromEntries(Object.values(schema.typeDefinition.entities).map((d) => [d.$id, d]));
const primitives = { string: 's', integer: 'i', number: 'n', boolean: 'b', json: 'j', 'date-time': 'd', tag: 't', null: 'j' };

function convert(resource) {
  const ids = new Map();
  const nested = [];
  const names = [];
  const typeCode = (type) => {
    switch (type.type) {
      case 'array': return '[' + typeCode(type.element);
      case 'map': return '{' + typeCode(type.element);
      case 'union': return '(' + type.types.map(typeCode).join(',') + ')';
      case 'ref': {
        const id = type.reference.$ref;
        if (!definitions[id]) throw new Error(`${resource.cloudFormationType}: no type ${id}`);
        if (!ids.has(id)) {
          const index = nested.length;
          ids.set(id, index);
          nested.push(null);
          names.push(definitions[id].name);
          nested[index] = properties(definitions[id].properties);
        }
        return '#' + ids.get(id);
      }
      default:
        if (!primitives[type.type]) throw new Error(`${resource.cloudFormationType}: unknown type ${JSON.stringify(type)}`);
        return primitives[type.type];
    }
  };
  const allowed = (type) => type.allowedValues ?? (type.element ? allowed(type.element) : undefined);
  const properties = (all) => {
    const result = {};
    for (const [name, property] of Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (property.deprecated === 'IGNORE') continue;
      const flags = (property.required ? '!' : '')
        + (property.causesReplacement === 'yes' ? '*' : property.causesReplacement === 'maybe' ? '?' : '')
        + (property.deprecated === 'WARN' ? '~' : '');
      const text = flags + typeCode(property.type);
      const values = allowed(property.type);
      result[name] = values ? [text, values] : text;
    }
    return result;
  };
  const line = { t: resource.cloudFormationType, p: properties(resource.properties) };
  const attributes = {};
  for (const [name, attribute] of Object.entries(resource.attributes).sort(([a], [b]) => (a < b ? -1 : 1))) attributes[name] = typeCode(attribute.type);
  if (Object.keys(attributes).length) line.a = attributes;
  if (nested.length) { line.d = nested; line.n = names; }
  if (resource.primaryIdentifier?.length) line.i = resource.primaryIdentifier;
  if (resource.cfnRefIdentifier?.length) line.r = resource.cfnRefIdentifier;
  if (resource.tagInformation) line.g = resource.tagInformation.tagPropertyName;
  if (resource.additionalReplacementProperties) line.x = [...new Set(resource.additionalReplacementProperties.map((p) => p.join('.')))];
  if (resource.isStateful) line.s = 1;
  return JSON.stringify(line);
}

const resources = Object.values(schema.resource.entities).sort((a, b) => (a.cloudFormationType < b.cloudFormationType ? -1 : 1));
const header = JSON.stringify({ source: '@aws-cdk/aws-service-spec', version, license: 'Apache-2.0', types: resources.length });
const text = [header, ...resources.map(convert)].join('\n') + '\n';
const packed = brotliCompressSync(Buffer.from(text), {
  params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: text.length },
});
writeFileSync(join(here, 'resource-specification.br'), packed);
console.log(`${resources.length} types, ${text.length} characters, ${packed.length} bytes packed, version ${version}`);

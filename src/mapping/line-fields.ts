import type { SourceConfig } from '../config/config-schema.ts';
import { eventShape } from '../xdm/event-shape.ts';
import { ITEM, shapeAt } from '../xdm/shape.ts';
import type { Draft, FamilyInput } from './families/family.ts';
import type { Reader } from './reader.ts';

const LINES = 'productListItems';
const LINE_PREFIX = `${LINES}${ITEM}.`;
/** Options that the customer chose: attribute and value. */
const OPTIONS = 'selectedOptions';

/** A field of a line that the source maps. */
interface LineTarget {
  /** Where the line has it. */
  readonly object: 'attributes' | 'extendedFields';
  readonly key: string;
  /** Field of an item of `productListItems`. */
  readonly name: string;
}

const known = new WeakMap<SourceConfig['fields'], readonly LineTarget[]>();

function lineTargets(fields: SourceConfig['fields']): readonly LineTarget[] {
  const targets =
    known.get(fields) ??
    (['customFields', 'extendedFields'] as const).flatMap((list) =>
      Object.entries(fields[list])
        .filter(([, { to }]) => to.startsWith(LINE_PREFIX))
        .map(
          ([key, { to }]): LineTarget => ({
            object: list === 'customFields' ? 'attributes' : 'extendedFields',
            key,
            name: to.slice(LINE_PREFIX.length),
          }),
        ),
    );
  known.set(fields, targets);
  return targets;
}

/**
 * The fields of a line to which the source has given a field of `productListItems[]`: a line's
 * attributes as `customFields`, its extended fields as `extendedFields`.
 *
 * @param line reads `attributes` and `extendedFields` of the line
 * @returns undefined if the line has none
 */
export function lineFields(line: Reader, { context, notes }: FamilyInput): Draft | undefined {
  const targets = lineTargets(context.source.fields);
  if (targets.length === 0) {
    return undefined;
  }
  const { schemaFeatures, tenant } = context.destination;
  const shape = eventShape(schemaFeatures, tenant);
  const fields: Record<string, unknown> = {};
  const options: Draft[] = [];
  for (const { object, key, name } of targets) {
    const values = line.object(object);
    const type = shapeAt(shape, [LINES, ITEM, name]);
    const value = type === 'number' || type === 'integer' ? values[type](key) : values.scalar(key);
    if (value === undefined) {
      continue;
    }
    if (name === OPTIONS) {
      options.push({ attribute: key, value });
    } else if (type === undefined) {
      notes.add(`${LINE_PREFIX}${name}`, 'unknown-field');
    } else {
      fields[name] = value;
    }
  }
  return { ...fields, ...(options.length > 0 ? { [OPTIONS]: options } : {}) };
}

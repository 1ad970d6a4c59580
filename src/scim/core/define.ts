/**
 * Short forms for writing schemas as data: each makes a whole attribute with the defaults of RFC 7643 §2.2, and the
 * table says only what differs. It holds no attribute of its own.
 */

import type { Attribute, AttributeType } from './attribute.ts';

type Difference = Partial<Omit<Attribute, 'name' | 'type' | 'description'>>;

function define(type: AttributeType, name: string, description: string, difference: Difference): Attribute {
  return Object.freeze({
    name,
    type,
    multiValued: false,
    description,
    required: false,
    // RFC 7643 §2.3.6, §2.3.7: base64 and URIs are case-sensitive.
    caseExact: type === 'reference' || type === 'binary',
    mutability: 'readWrite',
    returned: 'default',
    uniqueness: 'none',
    ...difference,
  } satisfies Attribute);
}

type Definer = (name: string, description: string, difference?: Difference) => Attribute;

function definerOf(type: AttributeType): Definer {
  return (name, description, difference = {}) => define(type, name, description, difference);
}

export const string = definerOf('string');
export const boolean = definerOf('boolean');
export const integer = definerOf('integer');
export const dateTime = definerOf('dateTime');
export const binary = definerOf('binary');

export function reference(
  name: string,
  description: string,
  referenceTypes: readonly string[],
  difference: Difference = {},
): Attribute {
  return define('reference', name, description, { referenceTypes, ...difference });
}

export function complex(
  name: string,
  description: string,
  subAttributes: readonly Attribute[],
  difference: Difference = {},
): Attribute {
  return define('complex', name, description, { subAttributes, ...difference });
}

/** A list of values, each with the sub-attributes that RFC 7643 §2.4 gives to all such lists. */
export function values(
  name: string,
  description: string,
  value: Attribute,
  types: readonly string[] = [],
): Attribute {
  const canonical = types.length === 0 ? {} : { canonicalValues: types };
  return complex(
    name,
    description,
    [
      value,
      string('display', 'A name for people to read.'),
      string('type', 'What the value is used for.', canonical),
      boolean('primary', 'Whether this is the preferred value; true at most once in the list.'),
    ],
    { multiValued: true },
  );
}

/** The User extensions as data: Enterprise User (RFC 7643 §4.3) and our own read-only one, which shows decisions. */

import type { Schema } from './attribute.ts';
import { complex, dateTime, integer, reference, string } from './define.ts';

const readOnly = { mutability: 'readOnly' } as const;

export const enterpriseUserSchema: Schema = {
  id: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
  aliases: ['urn:scim:schemas:extension:enterprise:1.0'],
  name: 'EnterpriseUser',
  description: 'What an employer knows of a person.',
  attributes: [
    string('employeeNumber', 'The number the organisation gave to the person.'),
    string('costCenter', 'The cost centre.'),
    string('organization', 'The organisation.'),
    string('division', 'The division.'),
    string('department', 'The department.'),
    complex('manager', 'Whom the person reports to.', [
      // OneLogin's templates call it by its SCIM 1.1 name (docs/identity-providers.md "OneLogin").
      string('value', "The manager's id.", { caseExact: true, aliases: ['managerId'] }),
      reference('$ref', "The manager's URI.", ['User']),
      string('displayName', "The manager's name.", readOnly),
    ]),
  ],
};

const role = string('role', 'The role in Blue.', readOnly);
const workspace = string('workspace', 'The workspace in Blue, "*" for the default ones.', readOnly);
const via = string('via', 'The rule that gave the role.', { caseExact: true, ...readOnly });

export const provisioningSchema: Schema = {
  id: 'urn:blue:params:scim:schemas:extension:provisioning:2.0:User',
  name: 'ProvisioningUser',
  description: 'What the gateway decided for a person: the seat and the roles. Read-only.',
  attributes: [
    complex(
      'seat',
      "The person's paid seat.",
      [
        string('state', 'Whether there is a seat.', {
          canonicalValues: ['none', 'held', 'overage', 'hold', 'queued', 'blocked'],
          ...readOnly,
        }),
        integer('position', 'The place in the queue, from 1.', readOnly),
        dateTime('since', 'Since when.', readOnly),
        string('reason', 'Why.', readOnly),
      ],
      readOnly,
    ),
    complex(
      'effectiveRoles',
      'The roles the person has in Blue.',
      [
        role,
        string('billing', 'Whether the role needs a paid seat.', {
          canonicalValues: ['paid', 'free'],
          ...readOnly,
        }),
        workspace,
        via,
      ],
      { multiValued: true, ...readOnly },
    ),
    complex('requestedRoles', 'The roles the person would have with seats for all.', [role, workspace, via], {
      multiValued: true,
      ...readOnly,
    }),
  ],
};

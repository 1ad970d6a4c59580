/** The demo's organization: three workspaces, one custom role, an owner whose token the gateway uses. */

import type { BlueSeed } from './types.ts';

export const demoToken = { uid: 'demo-token', secret: 'pat_demo-only-not-a-secret', userId: 'cuser-owner' };

export const demoSeed: BlueSeed = {
  organization: {
    id: 'corg-northwind',
    slug: 'northwind',
    name: 'Northwind',
    ownerId: 'cuser-owner',
    userLimit: null,
  },
  people: [
    { id: 'cuser-owner', email: 'olivia.owner@northwind.example', firstName: 'Olivia', lastName: 'Owner' },
  ],
  workspaces: [
    {
      id: 'cws-engineering',
      slug: 'engineering',
      name: 'Engineering',
      customRoles: [{ id: 'crole-reviewer', name: 'Reviewer' }],
    },
    { id: 'cws-marketing', slug: 'marketing', name: 'Marketing' },
    { id: 'cws-company', slug: 'company-wide', name: 'Company-wide' },
  ],
  tokens: [demoToken],
};

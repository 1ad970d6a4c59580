/** What an edit would do to whom, before it is made. */

import {
  type Command,
  given,
  type Input,
  json,
  list,
  pageFlags,
  tenantFlag,
  tenantPath,
  text,
} from './command.ts';
import { mappingFlags, mappingOf } from './licensing-commands.ts';

export const previewCommands: readonly Command[] = [
  {
    noun: 'mapping',
    verb: 'preview',
    summary: 'say what an edit of the mappings would do to whom',
    flags: [
      tenantFlag,
      { name: 'op', value: 'create|update|delete|reorder', description: 'the edit', required: true },
      { name: 'id', value: 'id', description: 'update, delete: the mapping' },
      { name: 'ids', value: 'ids', description: 'reorder: all of them, between commas' },
      ...mappingFlags.map((flag) => ({ ...flag, required: false })),
      ...pageFlags,
    ],
    call: (input) => ({
      method: 'POST',
      path: tenantPath(input, '/mappings/preview', 'limit', 'cursor'),
      body: mappingEditOf(input),
    }),
  },
  {
    noun: 'seats',
    verb: 'preview',
    summary:
      'say what an edit of contract, settings, a sub-pool or a pin, or the end of a batch, would do to whom',
    flags: [
      tenantFlag,
      {
        name: 'edit',
        value: 'json',
        description:
          '{"op": "contract", "contract": …}; amendment, line, withdrawal, pin, unpin, settings, subPool, removeSubPool, defaultWorkspaces, rollback, settle',
        required: true,
      },
      ...pageFlags,
    ],
    call: (input) => ({
      method: 'POST',
      path: tenantPath(input, '/seats/preview', 'limit', 'cursor'),
      body: json(input, 'edit'),
    }),
  },
];

function mappingEditOf(input: Input): Record<string, unknown> {
  const op = text(input, 'op');
  const isWritten = op === 'create' || op === 'update';
  return given({
    op,
    id: input.id,
    ids: list(input, 'ids'),
    mapping: isWritten ? mappingOf(input) : undefined,
  });
}
